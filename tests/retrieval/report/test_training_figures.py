"""Losses in the terminal and on the page, and pictures in one picture."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from encoders.neural.training_config import History
from encoders.registry import create
from retrieval.applications.reconstruction_table import ReconstructionRow, ReconstructionTable
from retrieval.report.figures.image_grid import image_grid
from retrieval.report.figures.training_loss import loss_svg
from retrieval.report.html.comparison import page
from retrieval.report.html.sections import training_data
from retrieval.report.json import to_json
from retrieval.report.terminal.training_curve import LiveCurve, curve, status
from retrieval.spaces.training_history import Phase

FALLING = Phase("deep-ae", [9.0, 4.0, 2.0, 1.5], [8.0, 5.0, 3.0, 3.5], 1.25, 2)


@pytest.fixture
def history():
    return History(FALLING.train_loss, FALLING.validation_loss, [0.5, 0.5, 0.5, 0.5], 2)


def test_a_curve_names_its_lines_and_its_best_epoch(history):
    lines = [line.plain for line in curve(history, columns=20, height=6)]
    assert len(lines) == 8
    assert "training 1.5" in "\n".join(lines)
    assert "validation 3.5" in "\n".join(lines)
    assert lines[-1].strip() == "epochs 1 to 4; lowest validation loss 3, in epoch 3"
    assert lines[0].startswith("     9 │")


@pytest.mark.parametrize("losses", [[2.0], [2.0, 2.0], [-1.0, -3.0, 1e9]])
def test_a_curve_of_any_losses_is_drawn(losses):
    drawn = curve(History(losses, losses, [1.0] * len(losses), 0), columns=10)
    assert len({len(line.plain.split("│")[1][:10]) for line in drawn if "│" in line.plain}) == 1


def test_before_the_first_epoch_there_is_no_curve():
    assert curve(History(), columns=20) == []


def test_the_time_left_is_of_the_epochs_or_of_the_budget(history):
    plain = create("deep-ae:8-2,epochs=10")
    assert status(plain, "training", history) == "deep-ae: epoch 4 of 10, 0.5 s an epoch, 3.0 s left"
    short = create("deep-ae:8-2,epochs=10,minutes=0.05")
    assert status(short, "training", history).endswith("1.0 s left")
    assert status(plain, "layer-1", history).startswith("deep-ae, layer 1: epoch 4 of 10")
    assert status(plain, "training", History(), since=2.0) == "deep-ae: epoch 0 of 10, 2.0 s so far"


def test_a_live_curve_shows_the_last_state_when_it_ends(history):
    screen = io.StringIO()
    with LiveCurve(Console(file=screen, force_terminal=True, width=80)) as live:
        live(create("deep-ae:8-2"), "training", history)
    assert "lowest validation loss 3, in epoch 3" in screen.getvalue()


def test_a_figure_marks_the_best_epoch_and_names_the_lines():
    drawn = loss_svg(FALLING, "pixels+deep-ae:8", 0, "x")
    assert "best epoch: 3" in drawn
    assert "training 1.5" in drawn
    assert "validation 3.5" in drawn
    assert "loss (log)" in drawn
    assert "Lowest validation loss 3 in epoch 3; training loss from 9 to 1.5" in drawn
    numbers = [float(number) for number in re.findall(r'[xy][12]?="(-?[\d.]+)"', drawn)]
    assert min(numbers) >= 0


@pytest.mark.parametrize("losses", [[2.0], [0.5, 0.5], [-1.0, -3.0, 40.0], [3e-9, 5e8]])
def test_any_losses_make_a_figure(losses):
    assert "nan" not in loss_svg(Phase("vae", losses, losses, 0.1, 0), "vae:2", 3, "x")


def test_the_page_and_the_record_hold_the_training_of_what_was_trained(compare, three):
    assert training_data(compare(), "c1") == []
    trained = compare([three[0], replace(three[1], phases=[FALLING, replace(FALLING, name="deep-ae, layer 1")])])
    figures = training_data(trained, "c1")
    assert [figure["facts"] for figure in figures] == [
        "deep-ae: 4 epochs in 1.2 s", "deep-ae, layer 1: 4 epochs in 1.2 s",
    ]  # fmt: skip
    assert all(str(figure["drawing"]) in page([trained]) for figure in figures)
    recorded = to_json(trained)["spaces"]
    assert recorded[0]["training"] == []
    assert recorded[1]["training"][0] == {
        "name": "deep-ae", "train_loss": [9, 4, 2, 1.5], "validation_loss": [8, 5, 3, 3.5], "seconds": 1.25,
        "best_epoch": 3, "train_measure": "loss", "validation_measure": "loss", "loss_unit": "",
    }  # fmt: skip


def test_pictures_stand_in_rows_beside_their_names_or_in_a_square():
    grey, colour = np.zeros((8, 8), np.uint8), np.full((300, 200, 3), 200, np.uint8)
    row = ReconstructionRow("pixels+pca:8", [grey, colour], {"squared error": [1.0, 2.0]})
    image = np.asarray(
        image_grid(ReconstructionTable(["a", "b"], [ReconstructionRow("the item", [grey, colour]), row]))
    )
    assert image.shape[0] < 310
    assert image[:30, :30].min() == 255  # a white margin
    assert (image == 0).all(axis=2).sum() >= 2 * 96 * 96  # both grey pictures, enlarged by whole pixels
    many = image_grid(
        ReconstructionTable([str(n) for n in range(64)], [ReconstructionRow("vae", [grey] * 64)], "64 draws")
    )
    assert abs(many.width - many.height) < 60


def test_a_space_in_two_indexes_shows_its_training_once(compare, in_two_indexes):
    phase = Phase("training", [2.0, 1.0], [2.5, 1.5], 3.0, 1)
    trained = [replace(row, phases=[phase]) for row in in_two_indexes]
    assert len(training_data(compare(trained), "c1")) == 2
