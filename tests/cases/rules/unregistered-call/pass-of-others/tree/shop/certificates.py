def add_extension(module, name, code):
    return module, name, code
