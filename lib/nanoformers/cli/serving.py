"""A pipeline behind HTTP: the model in a thread of its own, so that the server answers meanwhile.

- `GET /` -> `{"infos": the model's configuration}`
- `POST /tokenize` `{"text_input": text, "return_ids": false}` -> `{"tokens": [...], "tokens_ids": [...]}`
- `POST /detokenize` `{"tokens_ids": [...], "skip_special_tokens": false,
  "cleanup_tokenization_spaces": true}` -> `{"model": "", "text": text}`
- `POST /forward` `{"inputs": what the pipeline takes, "parameters": {its keywords}}`
  -> `{"output": result}`

An error is `{"model": "", "error": message}`: 400 when the body is not JSON or the pipeline refuses the
input, 404 and 405 for other paths and methods, 422 when a field is missing or of another type, 500 otherwise.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from ..pipelines import Pipeline, pipeline
from ..pipelines.base import PipelineException
from ..utils import logging

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import JSONResponse

__all__ = ["ServedModel", "make_app", "run"]

logger = logging.get_logger(__name__)

_SETTINGS = "NANOFORMERS_SERVE"
"""Environment variable by which worker processes learn what to serve, as JSON."""


@dataclass(frozen=True)
class ServedModel:
    """Which pipeline to serve: arguments of `pipeline`, as text.

    Attributes:
        task: its task.
        model: repository or folder; None for the task's default checkpoint.
        config: the same for the configuration, where it is not the model's.
        tokenizer: the same for the tokenizer.
        device: a torch device, or the number of a GPU, -1 for none.
    """

    task: str
    model: str | None = None
    config: str | None = None
    tokenizer: str | None = None
    device: str = "-1"

    def load(self) -> Pipeline:
        """Make the pipeline.

        Raises:
            KeyError: there is no such task.
            OSError: the checkpoint cannot be had.
            ValueError: the device is unknown, or the model does not fit the task.
        """
        number = self.device.removeprefix("-").isdecimal()
        return pipeline(
            self.task,
            model=self.model,
            config=self.config,
            tokenizer=self.tokenizer,
            device=int(self.device) if number else self.device,
        )


class _BadRequest(Exception):  # noqa: N818 - an answer, no failure of ours
    """What is answered to a request that cannot be met."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


async def _fields(request: Request, **kinds: tuple[type, Any]) -> list[Any]:
    """Return fields of a request's JSON object: {name: (type, default, or ... when it is required)}."""
    try:
        body = json.loads(await request.body())
    except ValueError as error:
        raise _BadRequest(400, f"The body is not JSON: {error}") from error
    if not isinstance(body, dict):
        raise _BadRequest(422, f"The body has to be a JSON object with {', '.join(kinds)}.")
    values = []
    for name, (kind, default) in kinds.items():
        value = body.get(name, default)
        if value is ...:
            raise _BadRequest(422, f"The field {name!r} is missing.")
        if not isinstance(value, kind):
            raise _BadRequest(
                422, f"The field {name!r} has to be {kind.__name__}, not {type(value).__name__}."
            )
        values.append(value)
    return values


def _in_json(value: Any) -> Any:
    """Turn what JSON does not know (arrays, tensors and their numbers) into what it does."""
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def make_app(pipe: Pipeline) -> Starlette:
    """Return the ASGI application that serves a pipeline.

    Raises:
        ImportError: starlette or uvicorn is not installed.
    """
    _require_server()
    import anyio
    from starlette.applications import Starlette
    from starlette.exceptions import HTTPException
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    one_at_a_time = anyio.CapacityLimiter(1)  # tokenizers and models are not made for several threads

    async def in_thread(function: Callable[..., Any], *arguments: Any, **keywords: Any) -> Any:
        call = partial(function, *arguments, **keywords)
        return await anyio.to_thread.run_sync(call, limiter=one_at_a_time)

    def respond(content: Any, status: int = 200) -> JSONResponse:
        return JSONResponse(json.loads(json.dumps(content, default=_in_json)), status)

    def refuse(status: int, message: str) -> JSONResponse:
        return JSONResponse({"model": "", "error": message}, status)

    def tokenizer() -> Any:
        if pipe.tokenizer is None:
            raise _BadRequest(400, f"The model for {pipe.task} has no tokenizer.")
        return pipe.tokenizer

    async def info(request: Request) -> JSONResponse:
        return respond({"infos": pipe.model.config.to_dict()})

    async def tokenize(request: Request) -> JSONResponse:
        text, return_ids = await _fields(request, text_input=(str, ...), return_ids=(bool, False))
        tokens = await in_thread(tokenizer().tokenize, text)
        return respond(
            {
                "tokens": tokens,
                "tokens_ids": tokenizer().convert_tokens_to_ids(tokens) if return_ids else None,
            }
        )

    async def detokenize(request: Request) -> JSONResponse:
        ids, skip, clean_up = await _fields(
            request,
            tokens_ids=(list, ...),
            skip_special_tokens=(bool, False),
            cleanup_tokenization_spaces=(bool, True),
        )
        if not all(isinstance(number, int) and 0 <= number < len(tokenizer()) for number in ids):
            raise _BadRequest(422, f"tokens_ids has to be a list of integers below {len(tokenizer())}.")
        text = await in_thread(
            tokenizer().decode, ids, skip_special_tokens=skip, clean_up_tokenization_spaces=clean_up
        )
        return respond({"model": "", "text": text})

    async def forward(request: Request) -> JSONResponse:
        inputs, parameters = await _fields(request, inputs=(object, ...), parameters=(dict, {}))
        if inputs is None or (isinstance(inputs, (str, list, dict)) and not inputs):
            return respond({"output": [], "attention": []})
        try:
            output = await in_thread(pipe, inputs, **parameters)
        except (PipelineException, ValueError, TypeError, KeyError) as error:
            message = error.args[0] if isinstance(error, KeyError) and error.args else error
            raise _BadRequest(400, f"{type(error).__name__}: {message}") from error
        return respond({"output": output})

    async def bad_request(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, _BadRequest)
        return refuse(error.status, str(error))

    async def unknown(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        return refuse(error.status_code, f"{request.method} {request.url.path}: {error.detail}")

    async def failed(request: Request, error: Exception) -> JSONResponse:
        return refuse(500, f"{type(error).__name__}: {error}")  # starlette logs the traceback

    return Starlette(
        routes=[
            Route("/", info, methods=["GET"]),
            Route("/tokenize", tokenize, methods=["POST"]),
            Route("/detokenize", detokenize, methods=["POST"]),
            Route("/forward", forward, methods=["POST"]),
        ],
        exception_handlers={_BadRequest: bad_request, HTTPException: unknown, Exception: failed},
    )


def _app_of_worker() -> Starlette:
    """Return what one of several processes serves."""
    return make_app(ServedModel(**json.loads(os.environ[_SETTINGS])).load())


def run(served: ServedModel, *, host: str = "localhost", port: int = 8888, workers: int = 1) -> None:
    """Serve a model until the process is interrupted.

    Args:
        served: the model.
        host: address to listen on.
        port: port to listen on; 0 for any that is free.
        workers: processes, each with a model of its own.

    Raises:
        ImportError: starlette or uvicorn is not installed.
        KeyError, OSError, ValueError: see `ServedModel.load`.
    """
    _require_server()
    import uvicorn

    if workers == 1:
        uvicorn.run(make_app(served.load()), host=host, port=port)
        return
    os.environ[_SETTINGS] = json.dumps(asdict(served))
    uvicorn.run(f"{__name__}:_app_of_worker", factory=True, host=host, port=port, workers=workers)


def _require_server() -> None:
    """Raise an error that says what to install, where that is needed."""
    try:
        import starlette  # noqa: F401
        import uvicorn  # noqa: F401
    except ImportError as error:
        raise ImportError(
            f"`nanoformers-cli serve` needs {error.name}, which is not installed. Install what a server "
            'needs with `pip install "nanoformers[serve]"`.'
        ) from error
