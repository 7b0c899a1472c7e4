try:
    from _decimal import Decimal
except ImportError:
    from decimal import Decimal
