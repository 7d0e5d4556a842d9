package db

import (
	"bytes"
	"runtime"
	"strconv"
)

// goroutineID reads the number from the first line of the stack trace,
// "goroutine 42 [running]:", which the runtime offers no other way.
func goroutineID() uint64 {
	var buf [64]byte
	line := buf[:runtime.Stack(buf[:], false)]
	line = bytes.TrimPrefix(line, []byte("goroutine "))
	digits, _, _ := bytes.Cut(line, []byte(" "))
	id, err := strconv.ParseUint(string(digits), 10, 64)
	if err != nil {
		return 0
	}
	return id
}
