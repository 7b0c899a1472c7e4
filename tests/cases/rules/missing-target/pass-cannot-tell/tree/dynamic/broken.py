class Order
