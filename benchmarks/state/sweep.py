import sys; sys.path.insert(0, '.')
from pathlib import Path
import corpus, truth, releases, json, time
from collections import Counter
cache = releases.cache_folder()
for lib in corpus.libraries(set(sys.argv[1:])):
    for pair in corpus.pairs(lib):
        t=time.time()
        try:
            fwd = truth.loads(pair, pair.old, pair.new, cache); back = truth.loads(pair, pair.new, pair.old, cache)
        except releases.NotToBeHad as e: print(pair, e); continue
        print(pair, dict(truth.counts(fwd)), '| back', dict(truth.counts(back)), f'{time.time()-t:.0f}s', flush=True)
        for l in fwd:
            if l.broken: print('    ', l.label[:70], l.outcome, l.what[:150])
