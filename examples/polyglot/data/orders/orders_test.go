package orders

import (
	"reflect"
	"strings"
	"testing"
)

func TestOrdersAreAddedUpByProduct(t *testing.T) {
	got, err := Summarise("tea,3,4.50\n\"cake, large\",1,12\n tea, 1, 4.5\npen,2,6.00\n")
	want := Summary{
		Products: []Product{{"tea", 4, 1800}, {"cake, large", 1, 1200}, {"pen", 2, 1200}},
		Pieces:   7,
		Revenue:  4200,
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := Summarise(""); err != nil || len(got.Products) != 0 {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestWhatIsNoOrderIsRefusedWithItsLine(t *testing.T) {
	for text, want := range map[string]string{
		"tea,3,4.50\ntea\n":     "line 2: wrong number of fields",
		"tea,three,4.50":        `line 1: "three" is no number of pieces`,
		"tea,-3,4.50":           `line 1: "-3" is no number of pieces`,
		"tea,3000000,4.50":      `line 1: "3000000" is no number of pieces`,
		"tea,3,4.505":           `line 1: "4.505" is no price`,
		"tea,3,":                `line 1: "" is no price`,
		"tea,3,.":               `line 1: "." is no price`,
		"tea,3,99999999":        `line 1: "99999999" is no price`,
		"tea,3,4.-1":            `line 1: "4.-1" is no price`,
		"tea,3,4.50\n\"tea,3,4": "parse error on line 2",
	} {
		if _, err := Summarise(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}
