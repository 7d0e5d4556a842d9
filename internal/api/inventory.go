package api

var inventoryOperations []operation
