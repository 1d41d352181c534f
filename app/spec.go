package app

import "context"

// Spec opens a house in the folder data, serves nothing, and gives the OpenAPI 3.1 description of everything it
// would serve, as JSON. The folder should be empty and is the caller's to remove.
func Spec(ctx context.Context, data string) ([]byte, error) {
	h, err := Open(ctx, Options{Data: data, Log: quiet(), Closed: true})
	if err != nil {
		return nil, err
	}
	defer h.close()
	return h.web.API().Spec(), nil
}
