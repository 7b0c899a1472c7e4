import shop

Order = vars(shop)['Order']
