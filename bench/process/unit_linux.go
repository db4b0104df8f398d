package process

const maxrssUnit = 1024 // getrusage(2) counts kibibytes
