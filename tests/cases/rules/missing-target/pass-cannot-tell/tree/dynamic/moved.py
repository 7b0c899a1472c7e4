import sys

sys.modules['dynamic.virtual'] = sys
