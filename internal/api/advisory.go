package api

var advisoryOperations []operation
