from .exercises import check as check
from .exercises import hint as hint
from .figures import show as show
from .health import doctor as doctor
from .paths import examples_root as examples_root
from .session import Session as Session
from .session import start as start
