package db

import (
	"database/sql/driver"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/entente-project/entente"
)

// plainArgs brings arguments into the few types that both engines treat alike.
func plainArgs(args []any) ([]any, error) {
	if len(args) == 0 {
		return nil, nil
	}
	out := make([]any, len(args))
	for i, a := range args {
		v, err := plain(a)
		if err != nil {
			return nil, fmt.Errorf("db: argument $%d: %w", i+1, err)
		}
		out[i] = v
	}
	return out, nil
}

func plain(a any) (any, error) {
	switch v := a.(type) {
	case nil, int64, float64:
		return a, nil
	case string:
		return a, checkText(v)
	case int:
		return int64(v), nil
	case bool:
		if v {
			return int64(1), nil
		}
		return int64(0), nil
	case []byte:
		if v == nil {
			return nil, nil
		}
		return a, nil
	case time.Time:
		return nil, fmt.Errorf("a time; store db.Millis of it")
	}
	v, err := driver.DefaultParameterConverter.ConvertValue(a)
	if err != nil {
		return nil, err
	}
	switch v.(type) {
	case nil, int64, float64, string, bool, []byte, time.Time:
		return plain(v)
	}
	return nil, fmt.Errorf("a value of type %T cannot be stored", a)
}

// checkText refuses what PostgreSQL cannot store. Such a text came from outside,
// whatever room let it pass, so it is a mistake of who sent it.
func checkText(s string) error {
	if strings.IndexByte(s, 0) >= 0 {
		return entente.Invalid("the text %.40q holds a NUL character, which cannot be stored", s)
	}
	if !utf8.ValidString(s) {
		return entente.Invalid("the text %.40q is not valid UTF-8", s)
	}
	return nil
}
