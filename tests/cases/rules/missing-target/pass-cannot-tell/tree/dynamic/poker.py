from dynamic import poked

poked.Order = object
