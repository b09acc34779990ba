from .adafactor import Adafactor as Adafactor
from .adafactor import AdafactorSchedule as AdafactorSchedule
from .adafactor import get_adafactor_schedule as get_adafactor_schedule
from .adamw import AdamW as AdamW
from .greedy import GreedyLR as GreedyLR
from .greedy import get_greedy_schedule as get_greedy_schedule
from .schedules import TYPE_TO_SCHEDULER_FUNCTION as TYPE_TO_SCHEDULER_FUNCTION
from .schedules import SchedulerType as SchedulerType
from .schedules import get_constant_schedule as get_constant_schedule
from .schedules import get_constant_schedule_with_warmup as get_constant_schedule_with_warmup
from .schedules import (
    get_cosine_schedule_with_warmup as get_cosine_schedule_with_warmup,
)
from .schedules import (
    get_cosine_with_hard_restarts_schedule_with_warmup as get_cosine_with_hard_restarts_schedule_with_warmup,
)
from .schedules import (
    get_cosine_with_min_lr_schedule_with_warmup as get_cosine_with_min_lr_schedule_with_warmup,
)
from .schedules import (
    get_cosine_with_min_lr_schedule_with_warmup_lr_rate as get_cosine_with_min_lr_schedule_with_warmup_lr_rate,  # noqa: E501
)
from .schedules import get_inverse_sqrt_schedule as get_inverse_sqrt_schedule
from .schedules import get_linear_schedule_with_warmup as get_linear_schedule_with_warmup
from .schedules import (
    get_polynomial_decay_schedule_with_warmup as get_polynomial_decay_schedule_with_warmup,
)
from .schedules import get_reduce_on_plateau_schedule as get_reduce_on_plateau_schedule
from .schedules import get_scheduler as get_scheduler
from .schedules import get_wsd_schedule as get_wsd_schedule
