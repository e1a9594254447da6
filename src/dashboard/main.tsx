// The dashboard's entry: puts the page into the document. It speaks only the admin API.
import 'uplot/dist/uPlot.min.css';
import './page.css';
import { render } from 'preact';
import { Page } from './page.tsx';

const root = document.getElementById('page');
if (root !== null) render(<Page />, root);
