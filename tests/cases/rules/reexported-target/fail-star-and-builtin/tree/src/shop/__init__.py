from shop._impl.core import *
