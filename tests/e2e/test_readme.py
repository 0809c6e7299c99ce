"""What README shows works as written: its transcripts, its commands and its program are run."""
import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest

from harness import BINARY, PATIENCE, ROOT, Lines, die_with_parent, eventually, free_port

README = (ROOT / "README.md").read_text()
WORD = re.compile(r"[0-9a-f]{32}|[0-9a-f]{16}|(?<=: )[\w-]{16}$|[0-9a-f]{12}-\d+")


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.M | re.S)


def steps():
    """(command, lines that it prints) of all transcripts, in order."""
    for block in blocks("console"):
        for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
            command, _, output = part.partition("\n")
            yield command, output.splitlines()


class Shell:
    """A bash that lives for the transcript; README's words become those of this run."""

    def __init__(self, folder):
        self.words = {"/home/ada": str(folder), ":4965": f":{free_port()}"}
        env = {**os.environ, "HOME": str(folder),
               "PATH": os.path.dirname(BINARY) + ":" + os.environ["PATH"]}
        self.process = subprocess.Popen(["bash"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True, cwd=folder, env=env,
                                        preexec_fn=die_with_parent)
        self.lines = Lines(self.process.stdout)

    def here(self, text):
        for theirs, ours in self.words.items():
            text = text.replace(theirs, ours)
        return text

    def run(self, command, expected):
        self.process.stdin.write(self.here(command) + "\n")
        self.process.stdin.flush()
        for line in expected:
            got = self.lines.next(PATIENCE)
            assert got is not None, f"the shell ended at {command!r}"
            got = got.rstrip("\n")
            for theirs, ours in zip(WORD.findall(self.here(line)), WORD.findall(got)):
                self.words.setdefault(theirs, ours)
            assert got == self.here(line), f"after {command!r}"

    def close(self):
        self.process.stdin.write("kill $(jobs -p); wait\n")
        self.process.stdin.close()
        self.process.wait(PATIENCE)


@pytest.fixture
def shell(world):
    made = Shell(world.folder)
    yield made
    made.close()


def wait_for_bob(shell, folder):
    eventually(lambda: "ready" in (folder / "bob.log").read_text(), "bob's node")


def test_the_transcripts_and_the_python_program(world, shell):
    printed = 0
    for command, output in steps():
        shell.run(command, output)
        printed += len(output)
        if "bob.log" in command:
            shell.run("true", [])
            time.sleep(0.1)
            wait_for_bob(shell, world.folder)
    assert printed > 20
    [program] = blocks("python")
    config = world.folder / ".reticulum"
    config.mkdir()
    (config / "config").write_text(f"""[reticulum]
  share_instance = No
[interfaces]
  [[alice]]
    type = TCPClientInterface
    enabled = yes
    target_host = 127.0.0.1
    target_port = {shell.words[':4965'][1:]}
""")
    done = subprocess.run([sys.executable, "-c", shell.here(program)], capture_output=True,
                          text=True, timeout=PATIENCE, env={**world.env}, check=False)
    assert "The well behind the mill has water.\n" in done.stdout, done.stdout + done.stderr


def test_dev_run_is_a_node_at_once_and_hears_signals(world):
    """The first commands of README, with the interfaces off; the binary is built already."""
    home = world.folder / "home"
    process = subprocess.Popen(
        [str(ROOT / "dev"), "run", "--home", str(home), "--json", "--reticulum", "off", "--http",
         "off"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
        env={**world.env, "PATH": os.environ["PATH"]}, preexec_fn=die_with_parent)
    try:
        ready = json.loads(Lines(process.stdout).next())
        assert ready["event"] == "ready"
        assert [line.split("#")[0].strip() for line in blocks("sh")[0].splitlines()] == [
            "./dev run", "./dev test"]
        [put] = blocks("sh")[1].splitlines()
        words = put.replace("FILE", str(ROOT / "LICENSE")).split()
        env = {**world.env, "MESHSTOW_HOME": str(home)}
        subprocess.run([ROOT / words[0], *words[1:]], env=env, check=True, capture_output=True)
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
    finally:
        process.kill()


def test_every_file_that_readme_names_is_there():
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / target).exists(), target
