from ..autoload.conftest import environment

__all__ = ["environment"]
