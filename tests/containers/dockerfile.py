"""A Dockerfile as a list of steps, and running those steps without containers."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.structure.sources import ROOT, kept_files


@dataclass(frozen=True, slots=True)
class Step:
    """One instruction with its text, continuation lines joined."""

    instruction: str
    text: str

    @property
    def words(self) -> list[str]:
        """The arguments, in either of the forms that an instruction may have."""
        if self.text.startswith("["):
            return [str(each) for each in json.loads(self.text)]
        return self.text.split()


@dataclass(slots=True)
class Stage:
    """The steps between one FROM and the next."""

    base: str
    name: str
    steps: list[Step] = field(default_factory=list)

    def last(self, instruction: str) -> Step:
        """The step that holds in the end."""
        return [step for step in self.steps if step.instruction == instruction][-1]


def stages(source: str) -> list[Stage]:
    """A Dockerfile's stages in order."""
    found: list[Stage] = []
    for step in _steps(source):
        if step.instruction == "FROM":
            base, *name = step.text.split(" AS ")
            found.append(Stage(base, name[0] if name else ""))
        else:
            found[-1].steps.append(step)
    return found


def _steps(source: str) -> Iterator[Step]:
    without_comments = re.sub(r"^\s*#.*\n", "", source, flags=re.MULTILINE)
    for line in re.sub(r"\\\n\s*", "", without_comments).splitlines():
        if line.strip():
            instruction, _, text = line.strip().partition(" ")
            yield Step(instruction, text.strip())


@dataclass(slots=True)
class PlainFolder:
    """A folder in the place of an image's root; absolute paths of the steps lead into it."""

    root: Path
    environ: dict[str, str]
    workdir: str = "/"

    def inside(self, path: str) -> Path:
        """Where a path of the image is on this machine."""
        return self.root / (Path(self.workdir) / path).relative_to("/")

    def moved(self, text: str) -> str:
        """A command with the image's own folders replaced; programs stay this machine's."""
        return re.sub(
            r"(?<![\w./])/(opt|src|data)\b", lambda found: f"{self.root}/{found[1]}", text
        )

    def run(self, stage: Stage) -> None:
        """Everything that a stage does, except what would need to be root."""
        for step in stage.steps:
            match step.instruction:
                case "WORKDIR":
                    self.workdir = step.text
                    self.inside(".").mkdir(parents=True, exist_ok=True)
                case "ENV":
                    self.environ |= self._variables(step)
                case "COPY" if not step.text.startswith("--from"):
                    self._copy(step)
                case "RUN" if "useradd" not in step.text:
                    self._shell(self.moved(step.text))
                case _:
                    continue

    def _variables(self, step: Step) -> Mapping[str, str]:
        pairs = dict(word.split("=", 1) for word in step.words)
        pairs.pop("PIP_NO_CACHE_DIR", None)  # an image must not keep the cache, a test may use it
        return {
            name: self.moved(value).replace("$PATH", os.environ["PATH"])
            for name, value in pairs.items()
        }

    def _copy(self, step: Step) -> None:
        *originals, target = step.words
        for path in kept_files():
            for original in originals:
                if path.is_relative_to(original):
                    inner = path.relative_to(original) if target != "./" else path
                    copy = self.inside(target) / inner
                    copy.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(ROOT / path, copy)

    def _shell(self, command: str) -> None:
        done = subprocess.run(
            ["/bin/sh", "-ec", command],
            cwd=self.inside("."),
            env=self.environ,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
