def public(thing):
    return thing
