from .models import Order
from .models import Order as Purchase
from shop import models as m

Alias = m.Basket
