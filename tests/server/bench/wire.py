"""Bytes as they are: for requests no library would send."""

import socket
import ssl


def connect(url, timeout=40):
    scheme, rest = url.split("://")
    host, port = rest.split(":")
    plain = socket.create_connection((host, int(port)), timeout)
    if scheme == "http":
        return plain
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(plain)


def read_all(connection):
    """Until the server closes."""
    data = b""
    try:
        while piece := connection.recv(65536):
            data += piece
    except (ConnectionResetError, ssl.SSLError):
        pass
    return data


def exchange(url, data, timeout=40):
    """Sends bytes, reads until the server closes: (status, everything)."""
    with connect(url, timeout) as connection:
        connection.sendall(data)
        answer = read_all(connection)
    return status(answer), answer


def status(answer):
    words = answer.split(b" ", 2)
    return int(words[1]) if answer.startswith(b"HTTP/1.1 ") and len(words) > 1 else None
