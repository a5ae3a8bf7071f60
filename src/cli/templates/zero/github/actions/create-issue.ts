// Opens an issue, and answers with where it is.
import { createAction } from 'nango';
import * as z from 'zod';

export default createAction({
    description: 'Opens an issue in a repository',
    version: '0.1.0',
    input: z.object({ owner: z.string(), repo: z.string(), title: z.string(), body: z.string().optional() }),
    output: z.object({ number: z.number(), url: z.string() }),

    exec: async (nango, input) => {
        if (input.title.trim() === '') {
            throw new nango.ActionError({ message: 'An issue needs a title' });
        }
        const { data } = await nango.post<{ number: number; html_url: string }>({
            endpoint: `/repos/${input.owner}/${input.repo}/issues`,
            data: { title: input.title, body: input.body ?? '' },
            retries: 3
        });
        return { number: data.number, url: data.html_url };
    }
});
