from setuptools import setup

setup(name="shop", packages=["shop"], package_data={"shop": ["*.json"]})
