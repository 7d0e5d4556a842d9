package db

import (
	"reflect"
	"runtime"
)

// deepest is how many calls are looked through for a transaction.
const deepest = 256

var running = reflect.ValueOf((*Tx).run).Pointer()

// insideTx says whether the caller was called by the function of a transaction. The
// stack of calls is the one thing that both have in common, as fn of Read and Write
// gets no context that could carry a marker.
func insideTx() bool {
	var calls [deepest]uintptr
	for _, pc := range calls[:runtime.Callers(2, calls[:])] {
		if f := runtime.FuncForPC(pc - 1); f != nil && f.Entry() == running {
			return true
		}
	}
	return false
}
