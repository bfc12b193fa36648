"""Disposable hosts: whole Debian systems with systemd as PID 1, made and thrown away by tests.

A host is an overlay over one shared root filesystem (see ../base) and a set of kernel namespaces.
It is real root on the machine's kernel, so it is no security boundary: only inert samples go in.
"""
