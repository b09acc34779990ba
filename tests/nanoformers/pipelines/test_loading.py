"""`pipeline()`: tasks, names, defaults, and the arguments that it passes on."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import nanoformers
import pytest
from nanoformers import pipeline
from nanoformers.pipelines import PIPELINE_REGISTRY, check_task, get_supported_tasks


class TestTasks:
    def test_supported_tasks(self):
        assert get_supported_tasks() == [
            "feature-extraction",
            "fill-mask",
            "ner",
            "question-answering",
            "sentiment-analysis",
            "summarization",
            "text-classification",
            "text-generation",
            "text2text-generation",
            "token-classification",
            "translation",
            "zero-shot-classification",
        ]

    def test_a_translation_names_its_languages(self):
        name, entry, options = check_task("translation_en_to_fr")
        assert (name, options) == ("translation", ("en", "fr"))
        assert entry["impl"] is nanoformers.TranslationPipeline

    @pytest.mark.parametrize("task", ["translation_en", "translation_en_fr", "translation_en_in_fr"])
    def test_a_translation_that_does_not(self, task):
        with pytest.raises(
            KeyError, match=f"Invalid translation task {task}, use 'translation_XX_to_YY' format"
        ):
            check_task(task)

    def test_an_alias(self):
        name, entry, options = check_task("sentiment-analysis")
        assert (name, entry["impl"], options) == (
            "text-classification",
            nanoformers.TextClassificationPipeline,
            None,
        )

    def test_an_unknown_task(self):
        with pytest.raises(
            KeyError, match=r"Unknown task singing, available tasks are \['feature-extraction'.*_XX_to_YY"
        ):
            pipeline("singing")

    def test_a_registered_task(self, checkpoint, monkeypatch):
        class Shouting(nanoformers.TextClassificationPipeline):
            pass

        monkeypatch.setattr(PIPELINE_REGISTRY, "supported_tasks", dict(PIPELINE_REGISTRY.supported_tasks))
        PIPELINE_REGISTRY.register_pipeline(
            "shouting",
            pipeline_class=Shouting,
            pt_model=nanoformers.AutoModelForSequenceClassification,
            default={"pt": (str(checkpoint), None)},
            type="text",
        )
        assert isinstance(pipeline("shouting"), Shouting)

    def test_a_registered_task_without_default(self, monkeypatch):
        monkeypatch.setattr(PIPELINE_REGISTRY, "supported_tasks", dict(PIPELINE_REGISTRY.supported_tasks))
        PIPELINE_REGISTRY.register_pipeline("shouting", nanoformers.FillMaskPipeline)
        with pytest.raises(ValueError, match="no default model"):
            pipeline("shouting")


class TestDefaults:
    def test_documented_checkpoints(self, monkeypatch):
        monkeypatch.delenv("NANOFORMERS_PIPELINE_DEFAULTS", raising=False)
        default = PIPELINE_REGISTRY.default_checkpoint("sentiment-analysis")
        assert default == ("distilbert-base-uncased-finetuned-sst-2-english", "af0f99b")

    @pytest.mark.parametrize("task", [task for task in get_supported_tasks() if task != "translation"])
    def test_every_task_has_one(self, monkeypatch, task):
        monkeypatch.delenv("NANOFORMERS_PIPELINE_DEFAULTS", raising=False)
        name, revision = PIPELINE_REGISTRY.default_checkpoint(task)
        assert (bool(name), len(revision)) == (True, 7)

    def test_a_translation_has_one_for_some_languages(self, monkeypatch):
        monkeypatch.delenv("NANOFORMERS_PIPELINE_DEFAULTS", raising=False)
        assert PIPELINE_REGISTRY.default_checkpoint("translation_en_to_de") == ("t5-base", "686f1db")
        with pytest.raises(ValueError, match="models for en to fr, en to de, en to ro"):
            PIPELINE_REGISTRY.default_checkpoint("translation_fr_to_ja")
        with pytest.raises(ValueError, match='as in "translation_en_to_fr"'):
            PIPELINE_REGISTRY.default_checkpoint("translation")

    @pytest.mark.parametrize("name", ["translation_en_to_fr", "translation"])
    def test_a_file_may_name_one_for_translations(self, tmp_path, monkeypatch, name):
        path = tmp_path / "defaults.json"
        path.write_text(json.dumps({name: {"model": "owner/name"}}))
        monkeypatch.setenv("NANOFORMERS_PIPELINE_DEFAULTS", str(path))
        assert PIPELINE_REGISTRY.default_checkpoint("translation_en_to_fr").model == "owner/name"

    @pytest.mark.parametrize("task", ["sentiment-analysis", "text-classification"])
    def test_a_file_puts_others_in_their_place(self, checkpoint, tmp_path, monkeypatch, task):
        path = tmp_path / "defaults.json"
        path.write_text(json.dumps({"text-classification": {"model": str(checkpoint), "revision": None}}))
        monkeypatch.setenv("NANOFORMERS_PIPELINE_DEFAULTS", str(path))
        assert pipeline(task)(["the cat"])[0]["label"] in {"LABEL_0", "LABEL_1"}

    @pytest.mark.parametrize("content", [None, "no json", '{"fill-mask": "owner/name"}', "[]"])
    def test_a_file_that_cannot_be_read(self, tmp_path, monkeypatch, content):
        path = tmp_path / "defaults.json"
        if content is not None:
            path.write_text(content)
        monkeypatch.setenv("NANOFORMERS_PIPELINE_DEFAULTS", str(path))
        with pytest.raises(ValueError, match="NANOFORMERS_PIPELINE_DEFAULTS names"):
            pipeline("fill-mask")


class TestArguments:
    def test_a_folder(self, checkpoint):
        assert pipeline("text-classification", model=checkpoint)("the cat")

    def test_a_tokenizer_by_name(self, checkpoint, make_model):
        model = make_model("BertForSequenceClassification", num_labels=2)
        assert pipeline("text-classification", model, tokenizer=str(checkpoint))("the cat")

    def test_a_tokenizer_by_name_and_arguments(self, checkpoint):
        made = pipeline(
            "text-classification", str(checkpoint), tokenizer=(str(checkpoint), {"padding_side": "left"})
        )
        assert made.tokenizer.padding_side == "left"

    def test_the_pure_python_tokenizer(self, checkpoint):
        made = pipeline("text-classification", str(checkpoint), use_fast=False)
        assert not made.tokenizer.is_fast

    def test_a_configuration_of_ones_own(self, checkpoint):
        config = nanoformers.AutoConfig.from_pretrained(checkpoint, id2label={0: "NO", 1: "YES"})
        assert pipeline("text-classification", str(checkpoint), config=config)("the cat")[0]["label"] in {
            "NO",
            "YES",
        }

    def test_arguments_of_the_model(self, checkpoint):
        made = pipeline("text-classification", str(checkpoint), model_kwargs={"output_hidden_states": True})
        assert made.model.config.output_hidden_states

    def test_parameters_of_the_task(self, checkpoint):
        assert (
            len(pipeline("text-classification", str(checkpoint), top_k=2, batch_size=4)(["the cat"])[0]) == 2
        )

    def test_a_model_object_needs_a_tokenizer(self, make_model):
        with pytest.raises(ValueError, match="which tokenizer"):
            pipeline("fill-mask", model=make_model("BertForMaskedLM"))

    def test_a_tokenizer_needs_a_model(self, tokenizer):
        with pytest.raises(RuntimeError, match="without `model`"):
            pipeline("fill-mask", tokenizer=tokenizer)

    @pytest.mark.parametrize("where", [{"device_map": "cpu"}, {"model_kwargs": {"device_map": {"": "cpu"}}}])
    def test_a_map_of_devices(self, checkpoint, where):
        classifier = pipeline("text-classification", str(checkpoint), **where)
        assert classifier.model.hf_device_map == {"": "cpu"}
        assert classifier("the cat") == pipeline("text-classification", str(checkpoint))("the cat")

    def test_a_map_and_a_device(self, checkpoint):
        with pytest.raises(ValueError, match="remove `device` and keep `device_map`"):
            pipeline("text-classification", str(checkpoint), device_map="auto", device="cpu")

    def test_a_model_that_a_map_placed_is_not_moved(self, checkpoint, tokenizer):
        model = nanoformers.AutoModelForSequenceClassification.from_pretrained(checkpoint, device_map="cpu")
        with pytest.raises(ValueError, match="discard the `device` argument"):
            pipeline("text-classification", model, tokenizer=tokenizer, device="cpu")

    @pytest.mark.parametrize("both", [
        {"dtype": "float32", "torch_dtype": "float16"},
        {"torch_dtype": "float32", "model_kwargs": {"torch_dtype": "float16"}},
        {"token": "a", "use_auth_token": "b"},
        {"device_map": "auto", "model_kwargs": {"device_map": "cpu"}},
    ])  # fmt: skip
    def test_two_spellings_that_differ(self, checkpoint, both):
        with pytest.raises(ValueError, match="both given"):
            pipeline("text-classification", str(checkpoint), **both)

    def test_a_type_that_does_not_exist(self, checkpoint):
        with pytest.raises(ValueError, match="float7"):
            pipeline("text-classification", str(checkpoint), torch_dtype="float7")


class TestInferringTheTask:
    def test_neither_task_nor_model(self):
        with pytest.raises(RuntimeError, match="without either a task or a model"):
            pipeline()

    def test_a_model_object(self, make_model):
        with pytest.raises(RuntimeError, match="Pass `task`"):
            pipeline(model=make_model("BertModel"))

    def test_a_local_folder(self, checkpoint):
        with pytest.raises(RuntimeError, match="local folder"):
            pipeline(model=str(checkpoint))

    def test_offline(self, monkeypatch):
        monkeypatch.setenv("TRANSFORMERS_OFFLINE", "1")
        with pytest.raises(RuntimeError, match=r"cannot infer task automatically .* offline mode"):
            pipeline(model="owner/name")

    @pytest.mark.parametrize(("name", "said"), [
        ("owner/singer", "KeyError Unknown task singing"),
        ("owner/silent", "RuntimeError .* does not seem to have a correct `pipeline_tag`"),
        ("owner/missing", "RuntimeError The hub could not say"),
        ("owner/picture", "RuntimeError This model is meant to be used with timm"),
    ])  # fmt: skip
    def test_the_hub_is_asked(self, hub_that_knows_tasks, name, said):
        assert re.match(said, error_of_a_pipeline(name, hub_that_knows_tasks))

    def test_a_hub_that_does_not_answer(self):
        said = error_of_a_pipeline("owner/name", "http://127.0.0.1:9")
        assert re.match(r"RuntimeError The hub could not say which task owner/name is for", said)


def error_of_a_pipeline(name, endpoint):
    """Return what `pipeline(model=name)` raises in a process that has this hub."""
    code = (
        "from nanoformers import pipeline\n"
        f"try: pipeline(model={name!r})\n"
        "except (KeyError, RuntimeError) as error: print(type(error).__name__, error.args[0])"
    )
    environment = {**os.environ, "HF_ENDPOINT": endpoint, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "0"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True
    )
    return done.stdout


@pytest.fixture(scope="module")
def hub_that_knows_tasks():
    """A loopback server that answers `/api/models/...`."""
    tags = {
        "/api/models/owner/singer": {"pipeline_tag": "singing", "library_name": "transformers"},
        "/api/models/owner/silent": {},
        "/api/models/owner/picture": {"pipeline_tag": "image-classification", "library_name": "timm"},
    }

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            known = self.path in tags
            body = json.dumps({"id": self.path, **tags.get(self.path, {})}).encode()
            self.send_response(200 if known else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


class TestImports:
    def test_documented_paths(self):
        from nanoformers.pipelines.base import Pipeline
        from nanoformers.pipelines.pt_utils import KeyDataset

        assert KeyDataset is nanoformers.pipelines.KeyDataset
        assert Pipeline is nanoformers.Pipeline

    def test_the_function_is_cheap_to_import(self):
        code = (
            "import sys; from nanoformers import pipeline, Pipeline, FillMaskPipeline; "
            "print({'transformers', 'huggingface_hub', 'tokenizers', 'datasets'} & set(sys.modules))"
        )
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True
        )
        assert done.stdout.strip() == "set()"
