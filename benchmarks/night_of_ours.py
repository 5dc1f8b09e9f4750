"""What does the program's night cost? The command's own function, in a process of its own.

python -m benchmarks.night_of_ours PATH YYYY-MM-DD
"""

import json
import sys
import time
from datetime import date

from app.messenger import BuiltinMessenger
from benchmarks.night_by_hand import most_memory
from jobs.nightly import run_nights
from models.database import Database


def main() -> None:
    path, local_date = sys.argv[1:]
    database = Database(f"sqlite:///{path}", messenger=BuiltinMessenger("x" * 40))
    began, used = time.perf_counter(), time.process_time()
    nights = run_nights(database, local_date=date.fromisoformat(local_date))
    figures = {
        "seconds": time.perf_counter() - began,
        "cpu": time.process_time() - used,
        "megabytes": most_memory(),
        "moved": sum(night.joined + night.left for night in nights),
    }
    sys.stdout.write(json.dumps(figures))


if __name__ == "__main__":
    main()
