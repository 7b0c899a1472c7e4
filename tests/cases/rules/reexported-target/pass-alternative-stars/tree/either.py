try:
    from _fast_one import *
except ImportError:
    from slow_one import *
