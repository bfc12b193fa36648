"""Removal of many file footholds beside rm, CFEngine and the safe floor, and its undo.

Each foothold is a small trigger and a 4 KiB payload; a bystander stands beside every one and must
stay. All work on one journaled ext4 of their own, freshly planted and synced before every turn:

    ours            dl_remedy_apply, from opening the journal to the result in JSON
    undo            dl_remedy_undo of it, every file compared with what was planted
    floor           the least that loses nothing (tests/bench/floor.c), synced once per 64 footholds
    floor per item  the same, synced for each foothold
    rm              rm without any sync: fast, and nothing comes back
    cfengine        files delete promises, one a file

Needs root, for a loop device in a mount namespace of its own.
"""

import argparse
import hashlib
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import time

SIZES = (200, 2000)
GROUP = 64  # footholds that the floor syncs together
DISK_BYTES = 1 << 30
NAMESPACE = "DISLODGE_BENCH_NAMESPACE"
BUILD = ("--buildtype=release",)
OLD = 1_000_000_000_123_456_789  # ns; so that exact undo of the time shows


class Disk:
    """A journaled ext4 in a file, mounted where only we see it."""

    def __init__(self, folder):
        self.image, self.root = folder / "remedy.img", folder / "remedy.mnt"

    def __enter__(self):
        self.root.mkdir(parents=True, exist_ok=True)
        self.image.unlink(missing_ok=True)
        with self.image.open("wb") as image:
            image.truncate(DISK_BYTES)
        run("mkfs.ext4", "-q", "-E", "lazy_itable_init=0,lazy_journal_init=0", str(self.image))
        run("mount", "-o", "loop", str(self.image), str(self.root))
        return self.root

    def __exit__(self, *_):
        run("umount", str(self.root))
        self.image.unlink()


class Field:
    """Planted footholds, and what they were."""

    def __init__(self, root, count):
        self.root, self.count = root, count
        self.list = root / "list"
        self.work = root / "work"
        self.triggers = [root / "cron.d" / f"job-{i}" for i in range(count)]
        self.payloads = [root / "bin" / f"payload-{i}" for i in range(count)]
        self.bystanders = [root / "bin" / f"payload-{i}.keep" for i in range(count)]

    def plant(self):
        for folder in (self.root / "cron.d", self.root / "bin", self.work):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
        for i in range(self.count):
            plant(self.triggers[i], f"* * * * * root {self.payloads[i]}\n".encode(), 0o644)
            plant(self.payloads[i], payload(i), 0o755)
            plant(self.bystanders[i], payload(-1 - i), 0o755)
        self.list.write_text("".join(f"{trigger}\t{load}\n" for trigger, load
                                     in zip(self.triggers, self.payloads)))
        self.before = self.look()
        os.sync()

    def targets(self):
        return self.triggers + self.payloads

    def look(self):
        return {path: facts(path) for path in self.targets() + self.bystanders}

    def check_gone(self, who):
        if left := [path for path in self.targets() if os.path.lexists(path)]:
            sys.exit(f"bench: {who} left {len(left)} files, {left[0]} among them")
        if hurt := [path for path in self.bystanders if facts(path) != self.before[path]]:
            sys.exit(f"bench: {who} hurt {len(hurt)} bystanders, {hurt[0]} among them")

    def check_back(self, who):
        now = self.look()
        if wrong := [path for path, was in self.before.items() if now[path] != was]:
            sys.exit(f"bench: {who} did not give back {len(wrong)} files, {wrong[0]} among them")


def run(*command, **options):
    done = subprocess.run(command, capture_output=True, text=True, **options)
    if done.returncode != 0:
        sys.exit(f"bench: {' '.join(command[:4])} …: {done.stderr[-2000:] or done.stdout[-2000:]}")
    return done


def payload(number):
    return hashlib.shake_128(str(number).encode()).digest(4096)


def plant(path, content, mode):
    path.write_bytes(content)
    path.chmod(mode)
    os.utime(path, ns=(OLD, OLD))


def facts(path):
    try:
        stat = path.lstat()
        return (stat.st_ino, stat.st_mode, stat.st_uid, stat.st_gid, stat.st_mtime_ns,
                path.read_bytes())
    except FileNotFoundError:
        return None


def stopwatch(*command, **options):
    start = time.monotonic()
    run(*command, **options)
    return time.monotonic() - start


class Contest:
    """Who takes turns. Each plants anew, measures, checks; the answer is {figure: seconds}."""

    def __init__(self, programs, field):
        self.programs, self.field = programs, field

    def ours(self):
        state, out = str(self.field.work / "state"), {}
        for verb, figure in (("apply", "ours_s"), ("undo", "undo_s")):
            done = run(str(self.programs / "bench-removal"), verb, state, str(self.field.list))
            out[figure] = float(done.stdout)
            runs = json.loads(done.stderr)["runs"]
            wanted = "removed" if verb == "apply" else "restored"
            if bad := [each for each in runs if each["state"] != wanted]:
                sys.exit(f"bench: {verb}: {len(bad)} steps are not {wanted}: {bad[0]}")
            check = self.field.check_gone if verb == "apply" else self.field.check_back
            check(f"our {verb}")
        return out

    def floor(self, group=GROUP, figure="floor_s"):
        done = run(str(self.programs / "bench-floor"), str(group),
                   str(self.field.work / "quarantine"), str(self.field.list))
        self.field.check_gone("the floor")
        return {figure: float(done.stdout)}

    def floor_per_item(self):
        return self.floor(1, "floor_per_item_s")

    def rm(self):
        names = "\0".join(map(str, self.field.targets()))
        seconds = stopwatch("xargs", "-0", "rm", "-f", "--", input=names)
        self.field.check_gone("rm")
        return {"rm_s": seconds}

    def cfengine(self):
        work, policy = self.field.work / "cfengine", self.field.work / "policy.cf"
        (work / "bin").mkdir(parents=True)
        (work / "bin" / "cf-promises").symlink_to(shutil.which("cf-promises"))
        environment = os.environ | {"CFENGINE_TEST_OVERRIDE_WORKDIR": str(work)}
        promises = "".join(f'    "{path}" delete => gone;\n' for path in self.field.targets())
        policy.write_text('body common control { bundlesequence => { "all" }; }\n'
                          'body delete gone { dirlinks => "delete"; rmdirs => "false"; }\n'
                          f"bundle agent all\n{{\n  files:\n{promises}}}\n")
        policy.chmod(0o600)
        run("cf-key", env=environment)
        seconds = stopwatch("cf-agent", "--no-lock", "--file", str(policy), env=environment)
        self.field.check_gone("cfengine")
        return {"cfengine_s": seconds}

    def turn(self, name):
        self.field.plant()
        return getattr(self, name)()

    def measure(self, rounds):
        names = ["ours", "floor", "rm", "cfengine", "floor_per_item"]
        seconds = {}
        for number in range(rounds):
            shift = number % len(names)
            for name in names[shift:] + names[:shift]:
                for figure, value in self.turn(name).items():
                    seconds.setdefault(figure, []).append(value)
        return {figure: round(statistics.median(values), 4) for figure, values in seconds.items()}


def report(items, figures):
    ours = figures["ours_s"]
    for figure in ("ours_s", "undo_s", "floor_s", "floor_per_item_s", "rm_s", "cfengine_s"):
        print(f"  {figure[:-2].replace('_', ' '):15} {figures[figure]:8.3f} s"
              f"   {figures[figure] / ours:6.2f} × ours")
    print(json.dumps({"bench": "remedy", "items": items, **{
        figure: figures[figure] for figure in ("ours_s", "undo_s", "floor_s", "floor_per_item_s",
                                               "rm_s", "cfengine_s")}}), flush=True)


def build(root, folder):
    run(str(root / "tools" / "install"), "build", "assets", "bench")
    if not (folder / "build.ninja").exists():
        run("meson", "setup", str(folder), *BUILD, cwd=root)
    run("ninja", "-C", str(folder), "tests/bench/bench-removal", "tests/bench/bench-floor")
    return folder / "tests" / "bench"


def measure(root, options):
    programs = build(root, options.build or root / "build" / "release")
    print(f"remedy: medians of {options.rounds} rounds, in turns", flush=True)
    with Disk(root / "build" / "bench") as disk:
        for items in options.items:
            print(f"{items} footholds:", flush=True)
            report(items, Contest(programs, Field(disk, items)).measure(options.rounds))
    return 0


def main(root, arguments):
    parser = argparse.ArgumentParser(prog="./bench remedy", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="turns of each (5)")
    parser.add_argument("--items", type=int, nargs="+", default=SIZES,
                        help="numbers of footholds (200 2000)")
    parser.add_argument("--build", type=pathlib.Path, help="build folder (build/release)")
    options = parser.parse_args(arguments)
    if os.geteuid() != 0:
        sys.exit("bench: needs root, for a loop device and a mount namespace")
    if NAMESPACE not in os.environ:
        os.environ[NAMESPACE] = "1"
        os.execvp("unshare", ["unshare", "--mount", "--propagation", "private", sys.executable,
                              str(root / "bench"), "remedy", *arguments])
    return measure(root, options)
