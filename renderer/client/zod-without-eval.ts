import { z } from 'zod';

// Schemas would be compiled with `new Function`, which the page's content security policy refuses and reports as an
// error. Imported first of all, because a schema decides when it is made.
z.config({ jitless: true });
