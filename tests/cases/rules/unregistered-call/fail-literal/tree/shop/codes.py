import copyreg
from copyreg import add_extension

copyreg.add_extension('shop', 'Order', 300)
add_extension('shop', 'Basket', 301)
add_extension(module='shop', name='Cart', code=302)
copyreg.add_extension('shop', 'Till', 300)
copyreg.add_extension('shop', 'Order', 305)
