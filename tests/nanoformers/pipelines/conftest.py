"""Small random models and a tokenizer, saved as a checkpoint would be."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

TEXT = "the a cat dog sat ran on under mat tree and then it was good bad very not film we love you"
WORDS = TEXT.split()


@pytest.fixture(scope="session")
def make_tokenizer(tmp_path_factory):
    """Build a tokenizer of words and letters: `make_tokenizer(padding_side="left")`."""
    letters = "abcdefghijklmnopqrstuvwxyz.!?,"
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    vocabulary = [*special, *WORDS, *letters, *(f"##{letter}" for letter in letters)]
    path = tmp_path_factory.mktemp("vocabulary") / "vocab.txt"
    path.write_text("\n".join(dict.fromkeys(vocabulary)) + "\n", encoding="utf-8")

    def build(**settings):
        from nanoformers import BertTokenizerFast

        return BertTokenizerFast(vocab_file=str(path), model_max_length=64, **settings)

    return build


@pytest.fixture(scope="session")
def tokenizer(make_tokenizer):
    return make_tokenizer()


@pytest.fixture(scope="session")
def make_model(tokenizer):
    """Build a model with random weights: `make_model("BertForMaskedLM", num_labels=3)`."""

    def build(class_name: str, **settings):
        import nanoformers

        torch.manual_seed(0)
        config = nanoformers.BertConfig(
            vocab_size=len(tokenizer),
            hidden_size=32,
            num_hidden_layers=2,
            num_attention_heads=4,
            intermediate_size=48,
            max_position_embeddings=64,
            initializer_range=0.5,
            **settings,
        )
        return getattr(nanoformers, class_name)(config)

    return build


@pytest.fixture(scope="session")
def extractor(make_model, tokenizer):
    from nanoformers import pipeline

    return pipeline("feature-extraction", model=make_model("BertModel"), tokenizer=tokenizer)


@pytest.fixture(scope="session")
def classifier(make_model, tokenizer):
    from nanoformers import pipeline

    model = make_model("BertForSequenceClassification", num_labels=3)
    return pipeline("text-classification", model=model, tokenizer=tokenizer)


@pytest.fixture(scope="session")
def checkpoint(make_model, tokenizer, tmp_path_factory) -> Path:
    """A folder with a model for sequence classification and its tokenizer."""
    folder = tmp_path_factory.mktemp("checkpoint")
    make_model("BertForSequenceClassification", num_labels=2).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def texts() -> list[str]:
    """Forty texts of very different lengths, one of them empty."""
    return [" ".join(WORDS[(i + j) % len(WORDS)] for j in range(i * 7 % 23)) for i in range(40)]


@pytest.fixture(scope="session")
def make_tagger(tokenizer):
    """Build a model that knows its words: `make_tagger(class_name, {"cat": {"ANIMAL": 9.0}}, labels)`.

    It has no layers: the logits of a token are what the table says, (about) 0 for what it does not mention.
    """

    def build(class_name: str, table: dict[str, dict[str, float]], labels: list[str]):
        import nanoformers

        width = len(labels) + 1
        config = nanoformers.BertConfig(
            vocab_size=len(tokenizer),
            hidden_size=width,
            num_hidden_layers=0,
            num_attention_heads=1,
            max_position_embeddings=64,
            id2label=dict(enumerate(labels)),
            label2id={label: number for number, label in enumerate(labels)},
        )
        model = getattr(nanoformers, class_name)(config)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.zero_()
            words = model.bert.embeddings.word_embeddings.weight
            model.bert.embeddings.LayerNorm = torch.nn.Identity()
            for word, logits in table.items():
                for label, logit in logits.items():
                    words[tokenizer.convert_tokens_to_ids(word), labels.index(label)] = logit
            head = model.classifier if hasattr(model, "classifier") else model.qa_outputs
            head.weight[:, : len(labels)] = torch.eye(len(labels))
        return model

    return build


@pytest.fixture(scope="session")
def gpt2(tmp_path_factory) -> Path:
    """A folder with a small random GPT-2, whose tokens are bytes and a few words."""
    import json

    import nanoformers
    from tokenizers.pre_tokenizers import ByteLevel

    folder = tmp_path_factory.mktemp("gpt2")
    tokens = [*sorted(ByteLevel.alphabet()), "<|endoftext|>", "th", "the", "Ġthe"]
    (folder / "vocab.json").write_text(json.dumps({token: number for number, token in enumerate(tokens)}))
    (folder / "merges.txt").write_text("#version: 0.2\nt h\nth e\nĠ the\n", encoding="utf-8")
    nanoformers.GPT2TokenizerFast.from_pretrained(folder, model_max_length=64).save_pretrained(folder)
    torch.manual_seed(0)
    config = nanoformers.GPT2Config(
        vocab_size=len(tokens),
        n_positions=64,
        n_embd=32,
        n_layer=2,
        n_head=4,
        bos_token_id=256,
        eos_token_id=256,
        initializer_range=0.4,
    )
    nanoformers.GPT2LMHeadModel(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def words_tokenizer():
    """A tokenizer of whole words, which puts an end after every text."""
    from nanoformers.tokenization import PreTrainedTokenizerFast
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    vocabulary = {word: number for number, word in enumerate(["<pad>", "</s>", "<unk>", ".", *WORDS])}
    backend = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    backend.post_processor = processors.TemplateProcessing(
        single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", 1)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=backend,
        model_max_length=24,
        pad_token="<pad>",
        eos_token="</s>",
        unk_token="<unk>",
    )


@pytest.fixture(scope="session")
def make_t5(words_tokenizer):
    """Build a small T5 with random weights: `make_t5(task_specific_params={...})`."""

    def build(**settings):
        import nanoformers

        torch.manual_seed(1)
        config = nanoformers.T5Config(
            vocab_size=len(words_tokenizer),
            d_model=24,
            d_kv=8,
            num_heads=3,
            d_ff=32,
            num_layers=2,
            decoder_start_token_id=0,
            initializer_factor=3.0,
            **settings,
        )
        return nanoformers.T5ForConditionalGeneration(config)

    return build
