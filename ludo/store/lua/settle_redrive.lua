-- Notes what became of a redrive that no worker decides.
settle_redrive(KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4])
return 1
