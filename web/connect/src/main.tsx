// SPDX-License-Identifier: Apache-2.0
import { render } from 'preact';
import { App } from './app';
import { language, words } from './text';
import './style.css';

document.documentElement.lang = language;
document.title = words.title;
render(<App />, document.getElementById('app')!);
