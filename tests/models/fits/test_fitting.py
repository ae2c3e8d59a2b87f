import numpy as np
import pytest

from models.data import DataSet
from models.fits.fitting import _answers
from models.training.plan import Plan
from tests.models.running import Recorder, ingested


def test_what_is_written_does_not_depend_on_dropout(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A network is left in training mode where there are no validation rows."""
    pairs = "\n".join(f"{a}{b}\t{b}{a}" for a in "abcdefgh" for b in "abcdefgh")
    dataset = DataSet.open(ingested(tmp_path_factory.mktemp("pairs"), pairs, format="pairs"))
    hyperparameters = {"embedding_dim": 8, "hidden_dim": 16, "dropout": 0.5, "max_written": 8}
    plan = Plan.of({"architecture": "seq2seq", "hyperparameters": hyperparameters, "training": {}}, dataset)
    network, train = plan.network(), plan.splits["train"]
    expected = _answers(plan, network.eval(), train, Recorder())
    np.testing.assert_array_equal(_answers(plan, network.train(), train, Recorder()), expected)
