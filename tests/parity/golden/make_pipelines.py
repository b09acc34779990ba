"""Record what pipelines of `transformers` 4.57.6 answer that release 5 has no more, for the tests of ours.

These are question answering, text-to-text generation, summarisation and translation. To make the file
anew, in an environment of its own:

    python -m venv reference && reference/bin/pip install transformers==4.57.6 torch
    reference/bin/python tests/parity/golden/make_pipelines.py
"""

from __future__ import annotations

import copy
import json
import tempfile
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
from transformers import (
    BertConfig,
    BertForQuestionAnswering,
    BertTokenizer,
    BertTokenizerFast,
    PreTrainedTokenizerFast,
    T5Config,
    T5ForConditionalGeneration,
    __version__,
    pipeline,
)

WORDS = "the my name is wolfgang and i live in berlin where do what who un ##aff ##able london café it end of"
LETTERS = "abcdefghijklmnopqrstuvwxyz.,?!'é"
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS.split()]
VOCABULARY += [letter for letter in LETTERS if letter not in VOCABULARY]
VOCABULARY += [f"##{letter}" for letter in LETTERS]
BERT = {
    "vocab_size": len(VOCABULARY),
    "hidden_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 32,
    "max_position_embeddings": 384,
}
T5 = {
    "vocab_size": 64,
    "d_model": 24,
    "d_kv": 8,
    "num_heads": 3,
    "d_ff": 32,
    "num_layers": 2,
    "decoder_start_token_id": 0,
    "pad_token_id": 0,
    "eos_token_id": 1,
    "task_specific_params": {
        "summarization": {"prefix": "summarize: "},
        "translation_en_to_fr": {"prefix": "translate English to French: "},
    },
}
WHOLE = "the cat on one two old are you translate to summarize"
QUESTIONS = ["Where do I live?", "What is unaffable, and who is it?"]
CONTEXTS = [
    "My name is Wolfgang and I live in Berlin",
    "The café in unaffable London, isn't it? " * 12 + "\n\nThe end  of\tit.",
]
ASKED = [
    {},
    {"top_k": 5},
    {"top_k": 3, "handle_impossible_answer": True},
    {"top_k": 4, "align_to_words": False},
    {"max_answer_len": 3, "top_k": 2},
    {"max_seq_len": 40, "doc_stride": 10, "top_k": 3},
    {"max_seq_len": 48, "doc_stride": 20, "handle_impossible_answer": True},
    {"padding": "max_length", "max_seq_len": 64, "doc_stride": 16, "top_k": 2},
]
TEXTS = ["How old are you?", "the cat sat on the mat", "a", "one two three, four five six. seven!"]
WRITTEN = [
    {},
    {"return_tensors": True},
    {"max_new_tokens": 3},
    {"clean_up_tokenization_spaces": True},
    {"min_new_tokens": 8},
    {"truncation": True},
]
TASKS = ["text2text-generation", "summarization", "translation_en_to_fr", "translation"]


def fill(model, spread):
    """Give each weight values that any release and machine can make again."""
    for index, (_, tensor) in enumerate(sorted(model.state_dict().items())):
        numbers = torch.arange(tensor.numel(), dtype=torch.float64)
        tensor.copy_((torch.sin(numbers * numbers * 0.37 + index) * spread).reshape(tensor.shape))
    return model.eval()


def unigram():
    """A tokenizer like T5's, with whole words and letters."""
    letters = "abcdefghijklmnopqrstuvwxyzHESTF.,?!:"
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -3.0)]
    pieces += [(letter, -6.0) for letter in letters]
    pieces += [(f"▁{word}", -4.0) for word in WHOLE.split()]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=2))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", 1)]
    )
    return tokenizer.to_str()


def plain(answer):
    """Turn tensors into lists."""
    if isinstance(answer, torch.Tensor):
        return answer.tolist()
    if isinstance(answer, list):
        return [plain(item) for item in answer]
    return {key: plain(value) for key, value in answer.items()} if isinstance(answer, dict) else answer


def answers_of_question_answering():
    model = fill(BertForQuestionAnswering(BertConfig(**BERT)), 1.2)
    recorded = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "vocab.txt")
        path.write_text("\n".join(VOCABULARY) + "\n", encoding="utf-8")
        for name, kind in {"fast": BertTokenizerFast, "slow": BertTokenizer}.items():
            tokenizer = kind(str(path), model_max_length=384)
            pipe = pipeline("question-answering", model=model, tokenizer=tokenizer, device=-1)
            for arguments in ASKED:
                answers = pipe(question=QUESTIONS, context=CONTEXTS, **arguments)
                recorded.append({"tokenizer": name, "arguments": arguments, "answers": answers})
    return recorded


def answers_of_text2text(backend):
    special = {"pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>"}
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(backend), model_max_length=12, **special
    )
    recorded = []
    for task in TASKS:  # a pipeline takes the prefix out of the configuration: each has its own
        model = fill(T5ForConditionalGeneration(T5Config(**copy.deepcopy(T5))), 0.6)
        pipe = pipeline(task, model=model, tokenizer=tokenizer, device=-1)
        for given in WRITTEN:
            arguments = {"max_new_tokens": 10, "num_beams": 1, "do_sample": False, **given}
            answers = plain([pipe(text, **arguments) for text in TEXTS])
            recorded.append({"task": task, "arguments": arguments, "answers": answers})
    return recorded


def main():
    """Write the file beside this script."""
    backend = unigram()
    content = {
        "transformers": __version__,
        "vocabulary": VOCABULARY,
        "bert": BERT,
        "questions": QUESTIONS,
        "contexts": CONTEXTS,
        "unigram": backend,
        "t5": T5,
        "texts": TEXTS,
        "question_answering": answers_of_question_answering(),
        "text2text": answers_of_text2text(backend),
    }
    text = json.dumps(content, ensure_ascii=False, indent=1) + "\n"
    Path(__file__).with_name("pipelines.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
