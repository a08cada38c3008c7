"""Several players on the one training loop: who moves what, resuming, collapse."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

import numpy as np  # noqa: E402

from encoders.errors import TrainingError  # noqa: E402
from encoders.neural.players import Game, Player  # noqa: E402
from encoders.neural.training import train  # noqa: E402
from encoders.neural.training_config import TrainingConfig  # noqa: E402
from encoders.neural.training_rows import Rows  # noqa: E402

ROWS = np.random.default_rng(0).normal(size=(64, 4)).astype(np.float32)


def config(**changes):
    settings = {
        "epochs": 4, "batch_size": 16, "learning_rate": 1e-2, "weight_decay": 0.0, "warm_up": 0.2, "patience": 0,
        "validation": 0.25, "precision": "fp32", "seed": 0,
    }  # fmt: skip
    return TrainingConfig(**{**settings, **changes})


def network():
    torch.manual_seed(0)
    return torch.nn.ModuleDict({"one": torch.nn.Linear(4, 4), "two": torch.nn.Linear(4, 4)})


def duel(**options) -> Game:
    """Return two players: the first makes its output small, the second makes the output of both large."""
    players = (
        Player("first", lambda net, rows: net["one"](rows).square().mean(), ("one",)),
        Player("second", lambda net, rows: -net["two"](net["one"](rows)).abs().mean(), ("two",), **options),
    )
    return Game(players)


def weights(net):
    return {name: value.clone() for name, value in net.state_dict().items()}


def test_each_player_moves_its_own_weights_alone():
    net = network()
    before = weights(net)
    idle = Player("idle", lambda net, rows: net["one"](net["two"](rows)).square().mean() * 0, ("two",))
    busy = Player("busy", lambda net, rows: net["two"](net["one"](rows)).square().mean(), ("one",))
    history = train(net, Game((busy, idle)), Rows(ROWS), config())
    assert not torch.equal(weights(net)["one.weight"], before["one.weight"])
    assert torch.equal(weights(net)["two.weight"], before["two.weight"])
    assert len(history.train_loss) == len(history.losses["idle"]) == 4


def test_what_updates_have_in_common_is_computed_once_without_gradients():
    def game(loss, **more):
        first = Player("first", lambda net, rows: net["one"](rows).square().mean(), ("one",))
        return Game((first, Player("second", loss, ("two",), steps=3, **more)))

    seen = []

    def inputs(net, rows):
        seen.append(torch.is_grad_enabled())
        return net["one"](rows)

    alone, shared = network(), network()
    each = train(alone, game(lambda net, rows: -net["two"](net["one"](rows)).abs().mean()), Rows(ROWS), config())
    once = train(shared, game(lambda net, read: -net["two"](read).abs().mean(), inputs=inputs), Rows(ROWS), config())
    assert seen == [False] * 4 * 3  # epochs x mini-batches, not x steps
    assert each.losses == once.losses
    assert all(torch.equal(one, weights(shared)[name]) for name, one in weights(alone).items())


def test_one_player_trains_as_a_loss_alone_does():
    def loss(net, rows):
        return net["two"](net["one"](rows)).square().mean()

    trained = []
    for game in (loss, Game((Player("all", loss),)), Game((Player("both", loss, ("one", "two")),))):
        net = network()
        train(net, game, Rows(ROWS), config())
        trained.append(weights(net))
    for name in trained[0]:
        assert torch.equal(trained[0][name], trained[1][name])
        assert torch.equal(trained[0][name], trained[2][name])


def test_a_killed_game_goes_on_to_the_same_weights(tmp_path):
    whole, killed = network(), network()
    straight = train(whole, duel(steps=2, rate=0.5), Rows(ROWS), config())

    class Killed(Exception):
        pass

    def kill(history):
        if len(history.seconds) == 2:
            raise Killed

    with pytest.raises(Killed):
        train(killed, duel(steps=2, rate=0.5), Rows(ROWS), config(), tmp_path, watch=kill)
    again = network()
    resumed = train(again, duel(steps=2, rate=0.5), Rows(ROWS), config(), tmp_path)
    assert resumed.train_loss == straight.train_loss
    assert resumed.losses == straight.losses
    for name, value in weights(whole).items():
        assert torch.equal(value, weights(again)[name])


def test_a_collapse_stops_the_game_and_keeps_the_weights_of_the_epoch_before():
    told = iter(["", "", "everything is the same"])
    game = Game(duel().players, lambda net, rows: next(told), keeps_best=False)
    with pytest.warns(UserWarning, match="stopped after epoch 3: everything is the same; the weights of epoch 2"):
        history = train(network(), game, Rows(ROWS), config(), method="duel")
    assert (len(history.seconds), history.best_epoch, history.collapsed) == (3, 1, "everything is the same")


def test_a_collapse_in_the_first_epoch_is_an_error():
    game = Game(duel().players, lambda net, rows: "everything is the same")
    with pytest.raises(TrainingError, match="stopped in its first epoch: everything is the same"):
        train(network(), game, Rows(ROWS), config())


def test_a_player_names_parts_that_there_are():
    with pytest.raises(ValueError, match="trains three"):
        train(network(), Game((Player("x", lambda net, rows: rows.sum(), ("three",)),)), Rows(ROWS), config())
