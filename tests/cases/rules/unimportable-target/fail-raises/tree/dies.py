import os

print('noise', flush=True)
os._exit(7)
