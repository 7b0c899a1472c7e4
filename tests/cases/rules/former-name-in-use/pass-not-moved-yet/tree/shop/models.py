class Order: pass
class Tin: pass
class Case: pass
