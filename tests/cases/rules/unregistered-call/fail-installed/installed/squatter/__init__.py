import copyreg

copyreg.add_extension('squatter', 'Mine', 300)
copyreg.add_extension('squatter', 'Other', 129)
