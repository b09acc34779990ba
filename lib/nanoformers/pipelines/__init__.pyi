from .base import ArgumentHandler as ArgumentHandler
from .base import ChunkPipeline as ChunkPipeline
from .base import Pipeline as Pipeline
from .base import PipelineException as PipelineException
from .data_formats import CsvPipelineDataFormat as CsvPipelineDataFormat
from .data_formats import JsonPipelineDataFormat as JsonPipelineDataFormat
from .data_formats import PipedPipelineDataFormat as PipedPipelineDataFormat
from .data_formats import PipelineDataFormat as PipelineDataFormat
from .dataset import KeyDataset as KeyDataset
from .dataset import KeyPairDataset as KeyPairDataset
from .entities import AggregationStrategy as AggregationStrategy
from .feature_extraction import FeatureExtractionPipeline as FeatureExtractionPipeline
from .fill_mask import FillMaskPipeline as FillMaskPipeline
from .inferring import get_task as get_task
from .loading import check_task as check_task
from .loading import get_supported_tasks as get_supported_tasks
from .loading import pipeline as pipeline
from .question_answering import QuestionAnsweringArgumentHandler as QuestionAnsweringArgumentHandler
from .question_answering import QuestionAnsweringPipeline as QuestionAnsweringPipeline
from .registry import PIPELINE_REGISTRY as PIPELINE_REGISTRY
from .registry import PipelineRegistry as PipelineRegistry
from .text2text_generation import SummarizationPipeline as SummarizationPipeline
from .text2text_generation import Text2TextGenerationPipeline as Text2TextGenerationPipeline
from .text2text_generation import TranslationPipeline as TranslationPipeline
from .text_classification import TextClassificationPipeline as TextClassificationPipeline
from .text_generation import TextGenerationPipeline as TextGenerationPipeline
from .token_classification import NerPipeline as NerPipeline
from .token_classification import TokenClassificationArgumentHandler as TokenClassificationArgumentHandler
from .token_classification import TokenClassificationPipeline as TokenClassificationPipeline
from .zero_shot_classification import (
    ZeroShotClassificationArgumentHandler as ZeroShotClassificationArgumentHandler,
)
from .zero_shot_classification import ZeroShotClassificationPipeline as ZeroShotClassificationPipeline
