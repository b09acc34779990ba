"""Reporting what a training logs to other tools (`TrainingArguments.report_to`)."""

from ...adapters.mixin import PeftAdapterMixin
from .registry import (
    get_available_reporting_integrations,
    get_reporting_integration_callbacks,
    resolve_report_to,
)
from .reporting import ReportingCallback, rewrite_logs
from .services import CodeCarbonCallback, DVCLiveCallback, MLflowCallback, WandbCallback
from .tensorboard import TensorBoardCallback

__all__ = [
    "CodeCarbonCallback",
    "DVCLiveCallback",
    "MLflowCallback",
    "PeftAdapterMixin",
    "ReportingCallback",
    "TensorBoardCallback",
    "WandbCallback",
    "get_available_reporting_integrations",
    "get_reporting_integration_callbacks",
    "resolve_report_to",
    "rewrite_logs",
]
