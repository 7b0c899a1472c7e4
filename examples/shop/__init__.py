"""A small shop: the classes whose pickles the example program stores."""
