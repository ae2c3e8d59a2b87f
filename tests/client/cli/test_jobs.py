"""`syllabus jobs` against the real stack."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.client.cli.conftest import Command
from tests.stack import Stack

ENDLESS = ("train", "mlp", "digits", "--training", "epochs=10000", "--model", "cli-endless")


def test_a_finished_job_is_listed_shown_and_read(syllabus: Command, trained: dict[str, Any]) -> None:
    job_id = trained["id"]
    listed = syllabus.json("jobs", "list", "--kind", "train", "--state", "succeeded")
    assert job_id in [job["id"] for job in listed]
    assert job_id in syllabus("jobs", "list", "--kind", "train", "--limit", "100").stdout
    assert "succeeded" in syllabus("jobs", "show", job_id).stdout
    assert "train_loss" in syllabus("jobs", "metrics", job_id).stdout
    assert syllabus.json("jobs", "metrics", job_id)["train_loss"]
    assert syllabus("jobs", "logs", job_id).exit_code == 0
    assert isinstance(syllabus.json("jobs", "logs", job_id), list)


def test_events_with_json_are_one_object_a_line(syllabus: Command, trained: dict[str, Any]) -> None:
    result = syllabus("jobs", "events", trained["id"], "--json")
    events = [json.loads(line) for line in result.stdout.splitlines()]
    assert events[0]["data"]["state"] == "queued"
    assert events[-1]["data"]["state"] == "succeeded"
    last = syllabus("jobs", "events", trained["id"], "--after", events[-2]["id"], "--json")
    assert [json.loads(line) for line in last.stdout.splitlines()] == events[-1:]


def test_a_file_of_a_job_is_downloaded(syllabus: Command, trained: dict[str, Any], tmp_path: Path) -> None:
    names = [item["name"] for item in syllabus.json("jobs", "artifacts", trained["id"])]
    assert "report.json" in names
    target = tmp_path / "report.json"
    assert syllabus("jobs", "artifacts", trained["id"], "report.json", "-o", str(target)).exit_code == 0
    assert json.loads(target.read_text())


def test_waiting_for_a_job_that_has_succeeded_is_0(syllabus: Command, trained: dict[str, Any]) -> None:
    assert syllabus("jobs", "wait", trained["id"]).exit_code == 0


def test_a_job_is_paused_resumed_and_cancelled(syllabus: Command, stack: Stack) -> None:
    job_id = syllabus(*ENDLESS, "--detach").stdout.strip()
    stack.wait_for(job_id, "running")
    assert syllabus("jobs", "wait", job_id, "--timeout", "0").exit_code == 1
    assert syllabus.json("jobs", "pause", job_id)["state"] == "pausing"
    stack.wait_for(job_id, "paused")
    assert syllabus.json("jobs", "resume", job_id)["state"] == "queued"
    assert syllabus("jobs", "cancel", job_id).exit_code == 0
    result = syllabus("jobs", "wait", job_id)
    assert result.exit_code == 1
    assert "was cancelled" in result.stderr
    assert syllabus("jobs", "cancel", job_id).exit_code == 3


def test_ctrl_c_leaves_the_job_running_and_says_how_to_cancel_it(syllabus: Command, stack: Stack) -> None:
    command = [sys.executable, "-m", "client.cli", "--url", stack.url, *ENDLESS]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as follower:
        assert follower.stderr is not None
        line = ""
        while "running" not in line:
            line = follower.stderr.readline()
            assert line, "the command ended early"
        follower.send_signal(signal.SIGINT)
        _, said = follower.communicate(timeout=30)
    job_id = syllabus.json("jobs", "list", "--limit", "1")[0]["id"]
    assert follower.returncode == 130
    assert f"syllabus jobs cancel {job_id}" in said
    assert stack.job(job_id)["state"] == "running"
    assert syllabus("jobs", "cancel", job_id).exit_code == 0
    assert stack.wait_for(job_id)["state"] == "cancelled"
