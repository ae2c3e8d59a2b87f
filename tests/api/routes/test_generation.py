"""What only versions that code or generate answer."""

import base64
import io
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from api.main import create_app
from services.settings import Settings
from tests.api.conftest import add_version, migrate, opened
from tests.generative_models import IMAGE, add_generator, add_homes, add_lamps, add_shades
from tests.serving_models import image_classifier, image_signature

Problem = Callable[[httpx.Response, int, str], dict[str, Any]]
AS_PNG, AS_ZIP = {"accept": "image/png"}, {"accept": "application/zip"}
PNG_BODY = {"content-type": "image/png"}
STRIPES = [[0, 255], [0, 255]]
CHECKS = [[0, 255], [255, 0]]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory, broker_url: str) -> Iterator[TestClient]:
    """A gateway with a version that does all, a decoder alone, a conditional one, one of a table, and a classifier."""
    settings = Settings(home=tmp_path_factory.mktemp("generation"), broker_url=broker_url)
    migrate(settings)
    with TestClient(create_app(settings), base_url="http://localhost") as running:
        resources = opened(running)
        for add in (add_shades, add_generator, add_lamps, add_homes):
            add(resources)
        add_shades(resources, "album", input={**IMAGE, "fitted": True})
        add_version(resources, "classes", image_classifier(), image_signature())
        yield running


def ask(client: TestClient, model: str, call: str, body: Any, **options: Any) -> httpx.Response:
    response: httpx.Response = client.post(f"/v1/models/{model}/{call}", json=body, **options)
    return response


def answered(client: TestClient, model: str, call: str, body: Any, **options: Any) -> Any:
    response = ask(client, model, call, body, **options)
    assert response.status_code == 200, response.text
    return response.json()


def pixels(file: bytes) -> list[Any]:
    image = Image.open(io.BytesIO(file))
    assert image.format == "PNG"
    listed: list[Any] = np.asarray(image).tolist()
    return listed


def decoded(texts: list[str]) -> list[Any]:
    return [pixels(base64.b64decode(text)) for text in texts]


def png(shades: list[list[int]], scale: int = 1) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.kron(np.array(shades, np.uint8), np.ones((scale, scale), np.uint8))).save(buffer, "PNG")
    return buffer.getvalue()


class TestGenerate:
    def test_samples_come_with_the_seed_and_codes_that_give_them_again(self, client: TestClient) -> None:
        first = answered(client, "shades", "generate", {"n": 3})
        assert (first["model"], first["version"], len(first["images"])) == ("shades", 1, 3)
        assert "labels" not in first
        assert np.array(first["z"]).shape == (3, 2)
        for same in ({"n": 3, "seed": first["seed"]}, {"z": first["z"]}):
            again = answered(client, "shades", "generate", same)
            assert (again["images"], again["z"]) == (first["images"], first["z"])
        assert answered(client, "shades", "decode", {"codes": first["z"]})["images"] == first["images"]
        assert answered(client, "shades", "generate", {"n": 3})["z"] != first["z"]

    def test_a_sheet_a_zip_and_json_hold_the_same_samples(self, client: TestClient) -> None:
        body = {"n": 5, "seed": 3}
        images = decoded(answered(client, "shades", "generate", body)["images"])
        sheet = ask(client, "shades", "generate", body, headers=AS_PNG)
        assert sheet.headers["content-type"] == "image/png"
        assert sheet.headers["x-seed"] == "3"
        grid = np.array(pixels(sheet.content))
        assert grid.shape == (6, 10)  # two rows of three, two white pixels between them
        assert grid[4:, 4:6].tolist() == images[4]
        assert (grid[2:4] == 255).all()
        archive = ask(client, "shades", "generate", body, headers=AS_ZIP).content
        with zipfile.ZipFile(io.BytesIO(archive)) as files:
            assert files.namelist() == [f"{index}.png" for index in range(5)]
            assert [pixels(files.read(name)) for name in files.namelist()] == images
            assert {info.date_time for info in files.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert ask(client, "shades", "generate", body, headers=AS_ZIP).content == archive
        assert ask(client, "shades", "generate", body, headers=AS_PNG).content == sheet.content

    def test_a_larger_draw_begins_with_a_smaller_one(self, client: TestClient) -> None:
        many = answered(client, "generator", "generate", {"n": 150, "seed": 1})
        few = answered(client, "generator", "generate", {"n": 100, "seed": 1})
        assert len(many["images"]) == 150
        assert many["z"][:100] == few["z"]
        assert many["images"][:100] == few["images"]

    def test_temperature_scales_what_is_drawn(self, client: TestClient) -> None:
        warm, cool = (
            np.array(answered(client, "shades", "generate", {"seed": 5, "temperature": t})["z"]) for t in (1, 0.5)
        )
        assert np.allclose(cool, warm / 2)

    def test_all_classes_come_alike_unless_one_is_named(self, client: TestClient) -> None:
        labels = answered(client, "lamps", "generate", {"n": 7, "seed": 0})["labels"]
        assert sorted(labels.count(name) for name in ("dim", "lit")) == [3, 4]
        assert answered(client, "lamps", "generate", {"n": 7, "seed": 0})["labels"] == labels
        assert answered(client, "lamps", "generate", {"n": 2, "label": "lit"})["labels"] == ["lit", "lit"]
        each = answered(client, "lamps", "generate", {"z": [[0.25, 0.25]] * 2, "label": ["dim", "lit"]})
        assert decoded(each["images"]) == [[[64, 64]] * 2, [[191, 191]] * 2]

    def test_rows_of_a_table_come_by_column(self, client: TestClient) -> None:
        rows = answered(client, "homes", "generate", {"z": [[2.5, 0.6], [1, -7]]})["rows"]
        assert rows == [{"rooms": 2.5, "city": "berlin"}, {"rooms": 1.0, "city": "aachen"}]

    @pytest.mark.parametrize(
        ("body", "code", "loc"),
        [
            ({"n": 0}, "request_invalid", ["n"]),
            ({"n": 10**9}, "request_invalid", ["n"]),
            ({"n": True}, "request_invalid", ["n"]),
            ({"seed": -1}, "request_invalid", ["seed"]),
            ({"temperature": 0}, "request_invalid", ["temperature"]),
            ({"temperature": 10.5}, "request_invalid", ["temperature"]),
            ({"z": []}, "request_invalid", ["z"]),
            ({"z": [[1, 2, 3]]}, "code_invalid", ["z"]),
            ({"z": [[1, 2], [1]]}, "code_invalid", ["z"]),
            ({"z": [[1, "2"]]}, "code_invalid", ["z"]),
            ({"z": [[1, 2], [1e39, 2]]}, "code_invalid", ["z", 1]),
            ({"z": [[1, 2]], "n": 4}, "n_differs", ["n"]),
            ({"label": "lit"}, "label_unexpected", ["label"]),
            ({"size": 4}, "request_invalid", ["size"]),
        ],
    )
    def test_a_wrong_request_is_422_and_named(
        self, client: TestClient, problem: Problem, body: Any, code: str, loc: list[Any]
    ) -> None:
        answer = problem(ask(client, "shades", "generate", body), 422, code)
        assert answer["errors"][0]["loc"] == ["body", *loc]

    @pytest.mark.parametrize(
        ("label", "code"),
        [("red", "label_unknown"), (["lit"], "label_count"), (["lit", "dim", 7], "label_unknown")],
    )
    def test_a_wrong_class_is_422_with_those_that_there_are(
        self, client: TestClient, problem: Problem, label: Any, code: str
    ) -> None:
        answer = problem(ask(client, "lamps", "generate", {"n": 3, "label": label}), 422, code)
        assert answer["errors"][0]["loc"][:2] == ["body", "label"]
        assert code == "label_count" or "dim, lit" in answer["detail"]

    def test_a_number_that_is_no_json_is_422(self, client: TestClient, problem: Problem) -> None:
        response = client.post(
            "/v1/models/shades/generate", content=b'{"z": [[NaN, 1]]}', headers={"content-type": "application/json"}
        )
        problem(response, 422, "json_invalid")

    def test_more_than_one_answer_holds_is_refused_before_it_is_drawn(
        self, client: TestClient, problem: Problem, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("services.serving.generation.asked.MAX_SAMPLE_BYTES", 40)
        monkeypatch.setattr("services.serving.generation.codes.draw", None)
        answer = problem(ask(client, "shades", "generate", {"n": 11}), 422, "answer_too_large")
        assert "at most 10" in answer["detail"]
        problem(
            ask(client, "shades", "interpolate", {"from": [0, 0], "to": [1, 1], "steps": 11}), 422, "answer_too_large"
        )


class TestAbility:
    @pytest.mark.parametrize("call", ["generate", "encode", "decode", "reconstruct", "interpolate", "anomaly"])
    def test_a_classifier_can_only_predict(self, client: TestClient, problem: Problem, call: str) -> None:
        body = {"n": 1}
        if call in ("encode", "reconstruct", "anomaly"):
            body = {"inputs": [STRIPES]}  # type: ignore[dict-item]
        if call == "decode":
            body = {"codes": [[1]]}  # type: ignore[dict-item]
        if call == "interpolate":
            body = {"from": 1, "to": 2}
        answer = problem(ask(client, "classes", call, body), 409, "call_unsupported")
        assert answer["detail"] == f"Version 1 of model 'classes' cannot {call}; it can predict."

    def test_a_decoder_alone_neither_codes_nor_predicts(self, client: TestClient, problem: Problem) -> None:
        for call in ("encode", "anomaly", "predict"):
            answer = problem(ask(client, "generator", call, {"inputs": [STRIPES]}), 409, "call_unsupported")
            assert answer["detail"].endswith("it can generate, decode, interpolate.")

    def test_a_prediction_of_a_version_that_codes_is_what_is_left_of_the_input(self, client: TestClient) -> None:
        (item,) = answered(client, "shades", "predict", {"inputs": [CHECKS]})["predictions"]
        assert pixels(base64.b64decode(item["image"])) == [[128, 128], [128, 128]]
        assert (item["error"], item["score"]) == (0.25, 0.25)

    def test_what_does_not_exist_is_404(self, client: TestClient, problem: Problem) -> None:
        problem(ask(client, "nope", "generate", {}), 404, "model_not_found")
        problem(ask(client, "shades", "generate", {}, params={"version": "7"}), 404, "version_not_found")
        problem(ask(client, "shades", "generate", {}, params={"version": "0"}), 422, "request_invalid")


class TestInputs:
    def test_codes_are_those_of_the_encoder(self, client: TestClient) -> None:
        body = {"inputs": [STRIPES, CHECKS]}
        assert answered(client, "shades", "encode", body)["codes"] == [[0, 1], [0.5, 0.5]]
        picture = client.post("/v1/models/shades/encode", content=png([[51, 51], [51, 51]]), headers=PNG_BODY)
        assert picture.json()["codes"] == [[pytest.approx(0.2)] * 2]
        several = client.post("/v1/models/shades/encode", files=[("file", png(STRIPES)), ("file", png(CHECKS))])
        assert several.json()["codes"] == [[0, 1], [0.5, 0.5]]

    def test_a_conditional_encoder_wants_the_class(self, client: TestClient, problem: Problem) -> None:
        body = {"inputs": [STRIPES, STRIPES]}
        answer = problem(ask(client, "lamps", "encode", body), 422, "label_missing")
        assert "dim, lit" in answer["detail"]
        assert answered(client, "lamps", "encode", body, params={"label": "lit"})["codes"] == [[-0.5, 0.5]] * 2
        told = {**body, "label": ["dim", "lit"]}
        assert answered(client, "lamps", "encode", told)["codes"] == [[0, 1], [-0.5, 0.5]]
        picture = client.post("/v1/models/lamps/encode?label=lit", content=png(STRIPES), headers=PNG_BODY)
        assert picture.json()["codes"] == [[-0.5, 0.5]]

    def test_a_reconstruction_is_a_picture_or_comes_with_its_error(self, client: TestClient) -> None:
        picture = client.post("/v1/models/shades/reconstruct", content=png(CHECKS), headers={**PNG_BODY, **AS_PNG})
        assert pixels(picture.content) == [[128, 128], [128, 128]]
        found = answered(client, "shades", "reconstruct", {"inputs": [CHECKS, STRIPES]})["reconstructions"]
        assert [each["error"] for each in found] == [0.25, 0]
        assert decoded([each["image"] for each in found]) == [[[128, 128]] * 2, STRIPES]

    def test_an_anomaly_is_what_surpasses_the_threshold(self, client: TestClient) -> None:
        found = answered(client, "shades", "anomaly", {"inputs": [CHECKS, STRIPES]})["anomalies"]
        assert found == [
            {"score": 0.25, "threshold": 0.01, "anomalous": True},
            {"score": 0.0, "threshold": 0.01, "anomalous": False},
        ]

    @pytest.mark.parametrize("call", ["encode", "reconstruct", "anomaly", "predict"])
    def test_an_image_of_another_size_is_fitted_only_if_those_of_the_training_were(
        self, client: TestClient, problem: Problem, call: str
    ) -> None:
        large = {"content": png(STRIPES, 8), "headers": PNG_BODY}
        answer = problem(client.post(f"/v1/models/shades/{call}", **large), 422, "image_size_differs")
        assert "16×16 pixels" in answer["detail"]
        assert "2×2 alone; resize it" in answer["detail"]
        assert [error["loc"] for error in answer["errors"]] == [["body", "inputs", 0]]
        assert client.post(f"/v1/models/album/{call}", **large).status_code == 200

    @pytest.mark.parametrize("call", ["encode", "reconstruct", "anomaly"])
    def test_what_is_no_image_is_422(self, client: TestClient, problem: Problem, call: str) -> None:
        path = f"/v1/models/shades/{call}"
        problem(client.post(path, content=b"GIF89a", headers=PNG_BODY), 422, "image_format")
        problem(client.post(path, content=b"", headers={"content-type": "text/plain"}), 415, "media_type_unknown")
        problem(client.post(path, json={"inputs": [[[0]]]}), 422, "input_invalid")


class TestInterpolate:
    def test_a_path_between_codes_has_both_ends(self, client: TestClient) -> None:
        body = {"from": [0, 0], "to": [1, 0.5], "steps": 3}
        path = answered(client, "shades", "interpolate", body)
        assert (path["method"], path["codes"]) == ("linear", [[0, 0], [0.5, 0.25], [1, 0.5]])
        assert decoded(path["images"]) == [[[0, 0]] * 2, [[128, 64]] * 2, [[255, 128]] * 2]
        strip = ask(client, "shades", "interpolate", body, headers=AS_PNG)
        assert np.array(pixels(strip.content)).shape == (2, 10)

    def test_a_path_between_seeds_is_one_between_what_they_draw(self, client: TestClient) -> None:
        ends = [answered(client, "generator", "generate", {"n": 1, "seed": seed})["z"][0] for seed in (1, 2)]
        body = {"from": 1, "to": 2, "method": "spherical"}
        codes = answered(client, "generator", "interpolate", body)["codes"]
        assert len(codes) == 8
        assert [codes[0], codes[-1]] == ends

    def test_a_path_between_inputs_goes_by_way_of_their_codes(self, client: TestClient) -> None:
        texts = [base64.b64encode(png(shades)).decode() for shades in (STRIPES, CHECKS)]
        for ends in ({"from": texts[0], "to": texts[1]}, {"from": [STRIPES], "to": [0.5, 0.5]}):
            codes = answered(client, "shades", "interpolate", {**ends, "steps": 2})["codes"]
            assert codes == [[0, 1], [0.5, 0.5]]
        files = {"from": png(STRIPES), "to": png(CHECKS)}
        options = {"steps": "5", "method": "spherical"}
        found = client.post("/v1/models/shades/interpolate", files=files, data=options).json()
        assert (found["codes"][0], found["codes"][-1], len(found["codes"])) == ([0, 1], [0.5, 0.5], 5)
        unnamed = [("file", png(STRIPES)), ("file", png(CHECKS))]
        assert len(client.post("/v1/models/shades/interpolate", files=unnamed).json()["codes"]) == 8

    @pytest.mark.parametrize(
        ("model", "body", "status", "code", "loc"),
        [
            ("shades", {"from": 1}, 422, "request_invalid", ["body", "to"]),
            ("shades", {"from": 1, "to": 2, "steps": 1}, 422, "request_invalid", ["body", "steps"]),
            ("shades", {"from": 1, "to": 2, "method": "cubic"}, 422, "request_invalid", ["body", "method"]),
            ("shades", {"from": -1, "to": 2}, 422, "seed_invalid", ["body", "from"]),
            ("shades", {"from": 1, "to": "no image"}, 422, "input_invalid", ["body", "to"]),
            ("shades", {"from": [[0]], "to": 1}, 422, "input_invalid", ["body", "from"]),
            ("generator", {"from": 1, "to": "AAAA"}, 409, "call_unsupported", None),
            ("lamps", {"from": 1, "to": 2}, 422, "label_missing", ["body", "label"]),
        ],
    )
    def test_a_wrong_end_is_named(
        self, client: TestClient, problem: Problem, model: str, body: Any, status: int, code: str, loc: Any
    ) -> None:
        answer = problem(ask(client, model, "interpolate", body), status, code)
        assert loc is None or answer["errors"][0]["loc"] == loc

    def test_wrong_parts_are_422(self, client: TestClient, problem: Problem) -> None:
        path, image = "/v1/models/shades/interpolate", png(STRIPES)
        problem(client.post(path, files=[("file", image)] * 3), 422, "part_unexpected")
        problem(client.post(path, files={"from": image}), 422, "request_invalid")
        problem(client.post(path, files={"from": image, "to": image}, data={"steps": "many"}), 422, "request_invalid")


class TestNegotiation:
    @pytest.mark.parametrize(
        ("accept", "content_type"),
        [
            ("*/*", "application/json"),
            ("image/*", "image/png"),
            ("text/html, application/zip;q=0.5, image/png;q=0.9", "image/png"),
            ("application/*;q=0.1, application/zip", "application/zip"),
        ],
    )
    def test_the_form_is_what_the_client_would_rather_have(
        self, client: TestClient, accept: str, content_type: str
    ) -> None:
        response = ask(client, "shades", "generate", {"n": 1}, headers={"accept": accept})
        assert response.headers["content-type"] == content_type
        assert response.headers["vary"] == "accept"

    @pytest.mark.parametrize(
        ("model", "call", "accept"),
        [
            ("shades", "generate", "image/jpeg"),
            ("shades", "generate", "image/png;q=0"),
            ("homes", "generate", "image/png"),
            ("shades", "encode", "application/zip"),
        ],
    )
    def test_another_form_is_406(
        self, client: TestClient, problem: Problem, model: str, call: str, accept: str
    ) -> None:
        body = {"inputs": [STRIPES]} if call == "encode" else {}
        answer = problem(ask(client, model, call, body, headers={"accept": accept}), 406, "not_acceptable")
        assert "application/json" in answer["detail"]

    def test_the_timing_and_the_deadline_are_those_of_predictions(self, client: TestClient, problem: Problem) -> None:
        assert "infer;dur=" in ask(client, "shades", "generate", {}).headers["server-timing"]
        problem(ask(client, "shades", "generate", {}, headers={"x-timeout-ms": "soon"}), 422, "header_invalid")
        response = client.post("/v1/models/shades/generate", content=b"{}", headers=PNG_BODY)
        problem(response, 415, "media_type_unknown")


class TestDescription:
    def test_a_version_shows_its_graphs_and_what_it_can(self, client: TestClient) -> None:
        version = client.get("/v1/models/shades/versions/1").json()
        assert set(version["graphs"]) == {"model", "encoder", "decoder"}
        assert version["generative"]["calls"][0] == "generate"
        assert version["links"]["generate"] == "/v1/models/shades/generate?version=1"
        for graph in version["graphs"].values():
            file = client.get(graph["href"])
            assert (file.headers["etag"], len(file.content)) == (f'"{graph["sha256"]}"', graph["size"])
        assert client.get("/v1/models/classes/versions/1").json()["generative"] is None

    def test_a_graph_that_is_not_there_is_404(self, client: TestClient, problem: Problem) -> None:
        path = "/v1/models/generator/versions/1/onnx"
        answer = problem(client.get(path, params={"graph": "encoder"}), 404, "graph_not_found")
        assert "model, decoder" in answer["detail"]
        problem(client.get(path, params={"graph": "decoder", "variant": "int8"}), 422, "graph_has_no_variants")

    def test_the_protocol_shows_and_gives_all_outputs_of_the_main_graph(self, client: TestClient) -> None:
        outputs = client.get("/v2/models/shades").json()["outputs"]
        assert [(each["name"], each["datatype"], each["shape"]) for each in outputs] == [
            ("reconstruction", "UINT8", [-1, 1, 2, 2]),
            ("error", "FP32", [-1]),
            ("score", "FP32", [-1]),
        ]
        tensor = {"name": "image", "datatype": "UINT8", "shape": [1, 1, 2, 2], "data": [0, 255, 255, 0]}
        given = client.post("/v2/models/shades/infer", json={"inputs": [tensor]}).json()["outputs"]
        assert [each["data"] for each in given] == [[128] * 4, [0.25], [0.25]]
