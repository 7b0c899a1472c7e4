import extreg

extreg.install()
