"""Run worlds by seed: `python -m tests.relay.model SEED [ACTIONS [RUNS]]`."""

import sys
import time

from tests.relay.model.world import play


def main() -> None:
    """Print what each run came to; the first that fails ends it with its traceback."""
    given = [int(each) for each in sys.argv[1:]]
    seed, actions, runs = (given + [1, 200, 1][len(given) :])[:3]
    begun = time.perf_counter()
    for each in range(seed, seed + runs):
        outcome = play(each, actions)
        if runs <= 20:
            sys.stdout.write(f"{outcome}\n")
        elif (each - seed + 1) % 500 == 0:
            sys.stdout.write(f"{each - seed + 1} runs in {time.perf_counter() - begun:.0f} s\n")
            sys.stdout.flush()
    took = time.perf_counter() - begun
    sys.stdout.write(f"{runs} runs of {actions} actions in {took:.1f} s: nothing diverged\n")


if __name__ == "__main__":
    main()
