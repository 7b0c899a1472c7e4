from shop.models import Tin
class Case: pass
