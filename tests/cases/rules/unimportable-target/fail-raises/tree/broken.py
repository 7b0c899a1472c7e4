print('noise')
raise ValueError('no')
