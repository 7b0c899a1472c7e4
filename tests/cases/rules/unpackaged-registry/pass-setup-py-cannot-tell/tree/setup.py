from setuptools import setup

from shop.build import files

setup(name="shop", packages=["shop"], package_data={"shop": files()})
