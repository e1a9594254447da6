// What the command line needs of the admin API's tokens.
export { hashToken, makeToken } from '../admin/token.js';
